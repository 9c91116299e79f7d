"""Which segments of a recording are drawn anew: those while a screen is shared, and no more than has to be. Pure.

All others are the recording's own. What follows a drawn segment builds on none of its pictures, so it is drawn as well
up to the next one that can be played by itself.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from schemas.object_names import StoredSegment


class Run(NamedTuple):
    """Segments `first` to `last` are drawn; to see the first picture one has to decode from `lead` on."""

    lead: int
    first: int
    last: int


def runs(
    recording: Sequence[StoredSegment], film: Sequence[StoredSegment], is_independent: Callable[[int], bool]
) -> Iterator[Run]:
    """The runs in order; `is_independent` says of a segment of the recording whether it can be played by itself."""
    shared = [bool(within(film, segment.start_ms, segment.end_ms)) for segment in recording]
    at = 0
    while at < len(recording):
        if not shared[at]:
            at += 1
            continue
        lead = last = at
        while lead and not is_independent(lead):
            lead -= 1
        while last + 1 < len(recording) and (shared[last + 1] or not is_independent(last + 1)):
            last += 1
        yield Run(lead, at, last)
        at = last + 1


def within(segments: Sequence[StoredSegment], start_ms: int, end_ms: int) -> Sequence[StoredSegment]:
    """Those of a sequence, in order and without overlaps, that have any time in common with [start_ms, end_ms)."""
    first = bisect_right(segments, start_ms, key=lambda segment: segment.end_ms)
    return segments[first : bisect_left(segments, end_ms, key=lambda segment: segment.start_ms)]
