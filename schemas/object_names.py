"""What is stored where. A session's recording is a folder whose listing says everything: nothing is kept in memory.

::

    sessions/{session}/segments/{start_ms}-{duration_ms}-{header}.m4s     a segment's media
    sessions/{session}/headers/{header}.mp4                               what a player needs before it
    sessions/{session}/recording.mp4 or .mp3                              the whole, once the session is over
    sessions/{session}/tracks/{track}/segments/...                        as above, of a track (`schemas.tracks`)
    sessions/{session}/tracks/{track}.m4a or, where it has pictures, .mp4 that whole

stored nowhere, but made when somebody asks for it:

    sessions/{session}/index.m3u8, and one for each kind of track         playlists
    sessions/{session}/subtitles/{origin_ms}-{start_ms}-{duration_ms}.vtt what was said in one segment
    sessions/{session}/chat/{origin_ms}-{start_ms}-{duration_ms}.vtt      what was written meanwhile

A header is named by its own digest. Names are derived from what is stored, so writing again is no change. Pure.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from schemas.records import Segment
from schemas.tracks import RECORDING as ITSELF
from schemas.tracks import Kind, kind

INDEX, RECORDING, TRANSCRIPT, CHAT = "index", "recording", "transcript", "chat"
"""The playlists."""

_HEADER_DIGITS = 12
_SEGMENT = re.compile(r".*/segments/(\d+)-(\d+)-([0-9a-f]{12})\.m4s")


class StoredSegment(NamedTuple):
    """A segment as its key tells of it."""

    start_ms: int
    duration_ms: int
    header: str
    key: str

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


def header_name(init: bytes) -> str:
    return hashlib.sha256(init).hexdigest()[:_HEADER_DIGITS]


def header_key(session_id: str, header: str) -> str:
    return f"sessions/{session_id}/headers/{header}.mp4"


def segments_prefix(session_id: str, track: str = ITSELF) -> str:
    """Of the recording itself, or of one of its tracks."""
    return f"sessions/{session_id}/tracks/{track}/segments" if track else f"sessions/{session_id}/segments"


def segment_key(segment: Segment) -> str:
    name = f"{segment.start_ms}-{segment.duration_ms}-{header_name(segment.init)}"
    return f"{segments_prefix(segment.session_id, segment.track)}/{name}.m4s"


def movie_key(session_id: str) -> str:
    return f"sessions/{session_id}/recording.mp4"


def sound_key(session_id: str) -> str:
    """Of a recording that is sound alone."""
    return f"sessions/{session_id}/recording.mp3"


def track_key(session_id: str, track: str) -> str:
    """Of a whole track beside the recording."""
    return f"sessions/{session_id}/tracks/{track}.{'m4a' if kind(track) is Kind.AUDIO else 'mp4'}"


def playlist_key(session_id: str, name: str) -> str:
    return f"sessions/{session_id}/{name}.m3u8"


def subtitles_key(session_id: str, origin_ms: int, segment: StoredSegment) -> str:
    """`origin_ms` is the recording's first moment."""
    return f"sessions/{session_id}/subtitles/{origin_ms}-{segment.start_ms}-{segment.duration_ms}.vtt"


def chat_key(session_id: str, origin_ms: int, segment: StoredSegment) -> str:
    """As of subtitles."""
    return f"sessions/{session_id}/chat/{origin_ms}-{segment.start_ms}-{segment.duration_ms}.vtt"


def stored_segments(listing: Iterable[tuple[str, int]]) -> list[StoredSegment]:
    """The segments in a listing of (key, time of writing), in order; of two with one start the one written last."""
    found: dict[int, StoredSegment] = {}
    for key, _ in sorted(listing, key=lambda item: item[1]):
        if match := _SEGMENT.fullmatch(key):
            start_ms = int(match[1])
            found[start_ms] = StoredSegment(start_ms, int(match[2]), match[3], key)
    return [found[start_ms] for start_ms in sorted(found)]
