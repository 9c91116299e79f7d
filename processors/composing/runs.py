"""Which segments of a recording are drawn anew: those while a screen is shared, and no more than has to be. Pure.

All others are the recording's own. What follows a drawn segment builds on none of its pictures, so it is drawn as well
up to the next one that can be played by itself.
"""

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
    shared = [any(touches(segment, piece) for piece in film) for segment in recording]
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


def touches(one: StoredSegment, other: StoredSegment) -> bool:
    """Whether they have any time in common."""
    return one.start_ms < other.end_ms and other.start_ms < one.end_ms
