"""When a stored recording is whole, and what its finished file begins with. Pure."""

from collections import Counter
from collections.abc import Iterable

from schemas.object_names import StoredSegment
from schemas.records import Segment

SEGMENT_TYPE = "video/iso.segment"
MOVIE_TYPE = "video/mp4"
SOUND_TYPE = "audio/mpeg"


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
