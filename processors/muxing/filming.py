"""Stills into H.264, for players know no other film (ADR 25).

Each run of stills of one size within a segment has an encoder of its own, so a segment depends on its own pictures
alone and begins with one that can be played by itself. A still that is the same as the one before it is no picture:
that one is shown on. Pure: one thread, the same stills, the same bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import NamedTuple

import av
from av.video.reformatter import ColorRange

from processors.muxing.encoding import Encoder, sample
from processors.muxing.h264 import Size
from processors.muxing.logic import StretchWork
from processors.muxing.parts import Part
from processors.muxing.pictures import ShownPicture, black_sample
from processors.muxing.stills import MAX_PIXELS, Still, still
from schemas.records import Codec

_FPS, _KBIT_PER_S = 5, 12_000
_SMALL = Size(640, 360)
_DECODERS = {Codec.JPG: "mjpeg", Codec.PNG: "png"}


class Filmed(NamedTuple):
    """A stretch whose pictures are all H.264; `refused` could not be decoded, black is in their place."""

    work: StretchWork
    refused: tuple[bytes, ...] = ()


def filmed(work: StretchWork) -> Filmed:
    """The work as it was where it has no stills."""
    if all(picture.codec is Codec.H264 for part in work.parts for picture in part.pictures):
        return Filmed(work)
    reel = _Reel()
    parts = tuple(replace(part, pictures=tuple(_pictures(part, reel))) for part in work.parts)
    return Filmed(replace(work, parts=parts, parameters=work.parameters or reel.parameters), tuple(reel.refused))


@dataclass(slots=True)
class _Reel:
    """What filming a stretch tells beside its pictures: the first encoder's parameter sets, and what was refused."""

    parameters: tuple[bytes, ...] = ()
    refused: list[bytes] = field(default_factory=list)


def _pictures(part: Part, reel: _Reel) -> Iterator[ShownPicture]:
    for is_film, run in groupby(part.pictures, lambda picture: picture.codec is Codec.H264):
        pictures = list(run)
        yield from pictures if is_film else _run(_changes(pictures), reel)


def _changes(run: Iterable[ShownPicture]) -> Iterator[ShownPicture]:
    """Without those that look like the one before."""
    before: bytes | None = None
    for picture in run:
        if picture.data != before:
            yield picture
        before = picture.data


def _run(run: Iterable[ShownPicture], reel: _Reel) -> Iterator[ShownPicture]:
    encoder: Encoder | None = None
    for picture in run:
        single = still(picture.codec, picture.data)
        frame = _decoded(single) if single else None
        if frame is None:
            reel.refused.append(picture.data)
            encoder = None
            yield replace(picture, codec=Codec.H264, data=black_sample(_size(single), picture.decode_ms))
            continue
        if encoder is None or encoder.size != _size(single):
            encoder = Encoder(_size(single), _FPS, _KBIT_PER_S)
        unit = encoder.encode(frame, picture.decode_ms)
        reel.parameters = reel.parameters or unit.parameters
        yield replace(picture, codec=Codec.H264, is_key=unit.is_idr, data=sample(unit))


def _size(single: Still | None) -> Size:
    """Even, because colours are shared by two by two."""
    size = single.size if single else _SMALL
    return Size(size.width & ~1, size.height & ~1)


def _decoded(single: Still) -> av.VideoFrame | None:
    context = av.CodecContext.create(_DECODERS[single.codec], "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_PIXELS)}  # it may find another size than the one that was told
    try:
        frames = [*context.decode(av.Packet(single.data)), *context.decode(None)]
        size = _size(single)
        return frames[0].reformat(*size, "yuv420p", dst_color_range=ColorRange.MPEG) if frames else None
    except (av.FFmpegError, ValueError):
        return None
