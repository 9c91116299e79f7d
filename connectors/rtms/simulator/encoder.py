"""Turns drawn pictures into what travels: H.264 access units in Annex-B form, or single JPG or PNG pictures.

H.264 is made to look like a sender's camera: parameter sets in front of every IDR, no B pictures, two slices a picture,
an IDR at the start of each span and at a period that falls on no flash. This is the only place in the project that
encodes pictures.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from PIL import Image

from connectors.rtms.simulator.picture import HEIGHT, WIDTH, Plane

_KEY_FRAME_MS = 1_920
_SLICES = 2
_START_CODE = b"\0\0\0\1"
_FILLER_NAL = _START_CODE + b"\x0c"
_FILLER_END = b"\x80"
_JPG_QUALITY = 80
FULL_SIZE = (WIDTH, HEIGHT)
_FORMATS = {"jpg": "JPEG", "png": "PNG"}


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One picture as it is sent; `at_ms` from the meeting's start."""

    at_ms: int
    user_id: int
    key_frame: bool
    payload: bytes


def _context(fps: int, size: tuple[int, int]) -> Any:
    context: Any = av.CodecContext.create("libx264", "w")
    context.width, context.height = size
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, 1000)
    context.framerate = Fraction(fps)
    period = max(1, _KEY_FRAME_MS * fps // 1000)
    tuning = f"keyint={period}:min-keyint=1:scenecut=0:bframes=0:slices={_SLICES}:sliced-threads=0:threads=1"
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "24", "x264-params": tuning}
    return context


def _frame(planes: Plane, size: tuple[int, int]) -> Any:
    frame: Any = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    return frame if size == FULL_SIZE else frame.reformat(width=size[0], height=size[1])


def encode_h264(
    pictures: Iterable[tuple[int, int, Plane]], fps: int, size: tuple[int, int] = FULL_SIZE
) -> Iterator[EncodedPicture]:
    """Access units of one span from (time, user, I420 picture); the first one is an IDR."""
    context = _context(fps, size)
    for at_ms, user_id, planes in pictures:
        frame = _frame(planes, size)
        frame.pts = at_ms
        for packet in context.encode(frame):
            yield EncodedPicture(at_ms, user_id, packet.is_keyframe, bytes(packet))
    if context.encode(None):
        raise RuntimeError("the encoder held pictures back although it was told not to")


def filled(payload: bytes, size: int) -> bytes:
    """The same picture in at least so many bytes: filler data that decoders pass over, zeros behind a still."""
    missing = max(0, size - len(payload))
    if payload.startswith(_START_CODE):
        return payload + _FILLER_NAL + b"\xff" * missing + _FILLER_END
    return payload + bytes(missing)


def encode_still(
    pictures: Iterable[tuple[int, int, Plane]], kind: str, size: tuple[int, int] = FULL_SIZE
) -> Iterator[EncodedPicture]:
    """One JPG or PNG a picture, by `kind`."""
    options: dict[str, Any] = {"quality": _JPG_QUALITY} if kind == "jpg" else {"compress_level": 1}
    for at_ms, user_id, planes in pictures:
        frame = _frame(planes, size)
        buffer = io.BytesIO()
        Image.fromarray(frame.to_ndarray(format="rgb24")).save(buffer, _FORMATS[kind], **options)
        yield EncodedPicture(at_ms, user_id, True, buffer.getvalue())
