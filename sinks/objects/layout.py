"""When a stored recording is whole, and what its finished file begins with. Pure."""

from collections import Counter
from collections.abc import Iterable

from schemas.object_names import StoredSegment
from schemas.records import Segment, TrackCount
from schemas.tracks import RECORDING, SEGMENTS_MISSING

SEGMENT_TYPE = "video/iso.segment"
MOVIE_TYPE = "video/mp4"
SOUND_TYPE = "audio/mpeg"
TRACK_TYPE = "audio/mp4"


def incompleteness(end: Segment, track: TrackCount, stored: Iterable[StoredSegment]) -> str | None:
    """Why these segments are not the whole recording or track that `end` speaks of, None if they are.

    The recording has a first segment and none is missing between that and its end; those of a track lie anywhere in it.
    """
    starts = [segment.start_ms for segment in stored]
    is_begun = track.track != RECORDING or starts[:1] == [end.start_ms]
    if not starts or len(starts) < track.count or not is_begun:
        return SEGMENTS_MISSING
    is_within = end.start_ms <= starts[0] and starts[-1] < end.start_ms + end.duration_ms
    return None if len(starts) == track.count and is_within else "segments_inconsistent"


def overlaid(recording: Iterable[StoredSegment], drawn: Iterable[StoredSegment]) -> list[StoredSegment]:
    """The recording with what was drawn in the place of the segments that begin when it does."""
    found = {segment.start_ms: segment for segment in recording} | {segment.start_ms: segment for segment in drawn}
    return [found[start_ms] for start_ms in sorted(found)]


def main_header(stored: Iterable[StoredSegment]) -> str:
    """The header of most segments, the earliest of several: the one that the finished file shall have."""
    ((header, _),) = Counter(segment.header for segment in stored).most_common(1)
    return header
