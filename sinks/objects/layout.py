"""What is stored where. A session's recording is a folder whose listing says everything: nothing is kept in memory.

::

    sessions/{session}/segments/{start_ms}-{header}.m4s     a segment's media
    sessions/{session}/headers/{header}.mp4                 what a player needs before it, named by its own digest
    sessions/{session}/recording.mp4                        the whole, once the session is over

Names are derived from what is stored, so writing again is no change. Pure.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from schemas.records import Segment

SEGMENT_TYPE = "video/iso.segment"
MOVIE_TYPE = "video/mp4"

_HEADER_DIGITS = 12
_SEGMENT = re.compile(r".*/segments/(\d+)-([0-9a-f]{12})\.m4s")


class StoredSegment(NamedTuple):
    """A segment as its key tells of it."""

    start_ms: int
    header: str
    key: str


def header_name(init: bytes) -> str:
    return hashlib.sha256(init).hexdigest()[:_HEADER_DIGITS]


def header_key(session_id: str, header: str) -> str:
    return f"sessions/{session_id}/headers/{header}.mp4"


def segments_prefix(session_id: str) -> str:
    return f"sessions/{session_id}/segments"


def segment_key(segment: Segment) -> str:
    return f"{segments_prefix(segment.session_id)}/{segment.start_ms}-{header_name(segment.init)}.m4s"


def movie_key(session_id: str) -> str:
    return f"sessions/{session_id}/recording.mp4"


def stored_segments(listing: Iterable[tuple[str, int]]) -> list[StoredSegment]:
    """The segments in a listing of (key, time of writing), in order; of two with one start the one written last."""
    found: dict[int, StoredSegment] = {}
    for key, _ in sorted(listing, key=lambda item: item[1]):
        if match := _SEGMENT.fullmatch(key):
            start_ms = int(match[1])
            found[start_ms] = StoredSegment(start_ms, match[2], key)
    return [found[start_ms] for start_ms in sorted(found)]


def incompleteness(end: Segment, stored: Iterable[StoredSegment]) -> str | None:
    """Why these segments are not the whole recording that `end` speaks of, None if they are."""
    starts = [segment.start_ms for segment in stored]
    if not starts or len(starts) < end.count or starts[0] != end.start_ms:
        return "segments_missing"
    if len(starts) > end.count or starts[-1] >= end.start_ms + end.duration_ms:
        return "segments_inconsistent"
    return None


def main_header(stored: Iterable[StoredSegment]) -> str:
    """The header of most segments, the earliest of several: the one that the finished file shall have."""
    ((header, _),) = Counter(segment.header for segment in stored).most_common(1)
    return header
