"""A recording as an HLS playlist, made of the names of what is stored: it grows while the meeting goes on. Pure.

A line once said is never taken back: players rely on it. So the playlist stops before a segment that is still on its
way to the store, and passes over one only when a minute of what follows is there: that one was lost.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from schemas.object_names import StoredSegment, header_key
from schemas.times import iso_utc

Link = Callable[[str], str]
"""Where a player fetches what is stored under a key."""

MEDIA_TYPE = "application/vnd.apple.mpegurl"

GAP_PATIENCE_MS = 60_000
FEWEST = 3
"""A browser gives up on a growing playlist that is shorter when it is opened."""

_LONGEST_SLOT = 1.5
"""A segment ends at a key frame in the first half of the slot after its own, at the latest."""


def playable(stored: Sequence[StoredSegment], *, is_over: bool) -> Sequence[StoredSegment]:
    """The segments that can be announced: all of a recording that is over, else those before the first open gap; none
    while they are too few to play."""
    segments = stored if is_over else _announced(stored)
    return segments if is_over or len(segments) >= FEWEST else ()


def _announced(stored: Sequence[StoredSegment]) -> Sequence[StoredSegment]:
    for index, (one, following) in enumerate(pairwise(stored), 1):
        is_open = stored[-1].end_ms - following.start_ms < GAP_PATIENCE_MS
        if one.end_ms != following.start_ms and is_open:
            return stored[:index]
    return stored


def playlist(session_id: str, segments: Sequence[StoredSegment], grid_ms: int, link: Link, *, is_over: bool) -> str:
    """The playlist of a recording; `grid_ms` is its session's setting."""
    longest_ms = max([int(grid_ms * _LONGEST_SLOT), *(segment.duration_ms for segment in segments)])
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{-(-longest_ms // 1000)}",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-MEDIA-SEQUENCE:0",
        *_lines(session_id, segments, link),
    ]
    return "\n".join([*lines, "#EXT-X-ENDLIST"] if is_over else lines) + "\n"


def _lines(session_id: str, segments: Iterable[StoredSegment], link: Link) -> Iterator[str]:
    before: StoredSegment | None = None
    for segment in segments:
        is_joined = before is not None and before.end_ms == segment.start_ms and before.header == segment.header
        if before is not None and not is_joined:
            yield "#EXT-X-DISCONTINUITY"
        if before is None or before.header != segment.header:
            yield f'#EXT-X-MAP:URI="{link(header_key(session_id, segment.header))}"'
        if not is_joined:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{iso_utc(segment.start_ms)}"
        yield f"#EXTINF:{segment.duration_ms / 1000:.3f},"
        yield link(segment.key)
        before = segment
