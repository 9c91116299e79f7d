"""A stretch of the recording, cut by size into segments: each fits into a record, however large its pictures are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from processors.muxing.fragments import SAMPLE_BYTES
from processors.muxing.pictures import ShownPicture

PART_BYTES = 4 * 1024 * 1024
"""More pictures than this are cut, at a key frame where there is one in the second half; a larger one stands alone."""


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of a stretch: [start_ms, end_ms) with these pictures."""

    start_ms: int
    end_ms: int
    pictures: tuple[ShownPicture, ...]


def parts(shown: tuple[ShownPicture, ...], start_ms: int, end_ms: int) -> tuple[tuple[Part, ...], int]:
    """The parts of a stretch, and how many of its last pictures had to be left out.

    A part is known by the millisecond in which it begins. Where large pictures crowd, one begins a little before or
    after its first picture; where there are more parts than milliseconds, the rest is left out.
    """
    cuts = [0, *_cuts(shown)]
    room = end_ms - start_ms
    kept = cuts[room] if len(cuts) > room else len(shown)
    cuts = cuts[:room]
    starts = [start_ms]
    for cut in cuts[1:]:
        starts.append(max(shown[cut].decode_ms, starts[-1] + 1))
    latest_ms = end_ms
    for index in range(len(starts) - 1, 0, -1):
        starts[index] = latest_ms = min(starts[index], latest_ms - 1)
    rows = zip(starts, [*starts[1:], end_ms], cuts, [*cuts[1:], kept], strict=True)
    return tuple(Part(from_ms, to_ms, shown[first:last]) for from_ms, to_ms, first, last in rows), len(shown) - kept


def _cuts(shown: Sequence[ShownPicture]) -> Iterator[int]:
    """The pictures before which the stretch is cut."""
    first = 0
    while (cut := _overflow(shown, first)) < len(shown):
        yield cut
        first = cut


def _overflow(shown: Sequence[ShownPicture], first: int) -> int:
    """The picture before which a part that begins with `first` is cut; what is heard beside them is small."""
    held, key = 0, None
    for index in range(first, len(shown)):
        if index > first and shown[index].is_key and held > PART_BYTES // 2:
            key = index
        held += len(shown[index].data) + SAMPLE_BYTES
        if index > first and held > PART_BYTES:
            return key or index
    return len(shown)
