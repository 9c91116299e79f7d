"""Shots as JPG or PNG: each picture by itself, as Zoom sends cameras and screens where it was asked to."""

import io
from collections.abc import Iterable
from functools import lru_cache

from PIL import Image

from schemas.records import Codec, RecordKind, Video
from tests.support.media import Shot, drawn

_FORMATS = {Codec.JPG: "JPEG", Codec.PNG: "PNG"}


@lru_cache(maxsize=512)
def still_picture(shot: Shot, at_ms: int, codec: Codec) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(drawn(shot, at_ms).to_ndarray(format="rgb24")).save(buffer, _FORMATS[codec])
    return buffer.getvalue()


def plain(size: tuple[int, int], codec: Codec) -> bytes:
    """A picture of one grey, width and height as wanted."""
    buffer = io.BytesIO()
    Image.new("L", size, 128).save(buffer, _FORMATS[codec], optimize=True)
    return buffer.getvalue()


def still_records(
    session_id: str, shots: Iterable[Shot], codec: Codec = Codec.JPG, *, still_ms: int = 1, first: int = 1
) -> list[Video]:
    """All pictures of the shots; they change no more often than every `still_ms`."""
    rows = [(shot, at_ms) for shot in shots for at_ms in shot.times()]
    return [
        Video(
            session_id=session_id, kind=RecordKind.FRAME, epoch=1, sequence=number, timestamp_ms=at_ms,
            arrived_us=at_ms * 1000, participant_id=shot.participant_id, codec=codec, key_frame=True,
            payload=still_picture(shot, at_ms // still_ms * still_ms, codec),
        )
        for number, (shot, at_ms) in enumerate(rows, first)
    ]  # fmt: skip
