"""What is left of a stretch that cannot be written as it is: an honest gap where its pictures or its sound would be.

A gap keeps the segments' ids and times, so that the recording stays complete around it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from processors.muxing.logic import StretchWork
from processors.muxing.parts import Part
from processors.muxing.pictures import ShownPicture, black_sample, black_times


class Lessened(NamedTuple):
    """A stretch without something; `data` is what was left out."""

    what: str
    work: StretchWork
    data: bytes


def lessened(work: StretchWork) -> Iterator[Lessened]:
    """The stretch with ever less in it."""
    pictures = b"".join(picture.data for part in work.parts for picture in part.pictures)
    sound = b"".join(chunk.record.payload for chunk in work.chunks)
    black = replace(work, parts=tuple(_black(work, part) for part in work.parts), parameters=())
    yield Lessened("pictures", black, pictures)
    yield Lessened("sound", replace(work, chunks=()), sound)
    yield Lessened("pictures and sound", replace(black, chunks=()), pictures)


def _black(work: StretchWork, part: Part) -> Part:
    if not work.frame.has_pictures:
        return part
    first_ms = part.pictures[0].decode_ms if part.pictures else part.start_ms
    times = [first_ms, *black_times(max(first_ms, part.start_ms), part.end_ms)]
    size = work.frame.size
    return replace(part, pictures=tuple(ShownPicture(at, at, True, black_sample(size, at)) for at in times))
