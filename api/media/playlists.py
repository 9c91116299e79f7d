"""A recording as HLS playlists, made of the names of what is stored: they grow while the meeting goes on. Pure."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from api.media.recordings import Recording
from schemas.object_names import (
    CHAT,
    RECORDING,
    TRANSCRIPT,
    StoredSegment,
    chat_key,
    header_key,
    playlist_key,
    subtitles_key,
)
from schemas.times import iso_utc

MEDIA_TYPE = "application/vnd.apple.mpegurl"

_LONGEST_SLOT = 1.5
"""A segment ends at a key frame in the first half of the slot after its own, at the latest."""


class Links(Protocol):
    """Makes links of keys."""

    def made(self, key: str) -> str:
        """To what is made when it is asked for."""

    def stored(self, key: str) -> str:
        """To an object."""


def index(recording: Recording, links: Links) -> str:
    """What there is to play."""
    return _text(
        *(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="said",NAME="{name}",DEFAULT=NO,AUTOSELECT={selected},FORCED=NO,'
            f'URI="{links.made(playlist_key(recording.session_id, playlist))}"'
            for name, playlist, selected in (("Transcript", TRANSCRIPT, "YES"), ("Chat", CHAT, "NO"))
        ),
        f'#EXT-X-STREAM-INF:BANDWIDTH={max(recording.bits_per_s, 1)},SUBTITLES="said"',
        links.made(playlist_key(recording.session_id, RECORDING)),
    )


def recording(recording: Recording, links: Links) -> str:
    """The pictures and the sound."""
    return _text(*_head(recording), *_segments(recording, links), *_end(recording))


def transcript(recording: Recording, links: Links) -> str:
    """What was said: a file of subtitles for each segment."""
    return _cued(recording, links, subtitles_key)


def chat(recording: Recording, links: Links) -> str:
    """What was written, in the same way."""
    return _cued(recording, links, chat_key)


def _cued(recording: Recording, links: Links, key_of: Callable[[str, int, StoredSegment], str]) -> str:
    lines = []
    for segment in recording.segments:
        origin_ms = recording.segments[0].start_ms
        lines += [_duration(segment), links.made(key_of(recording.session_id, origin_ms, segment))]
    return _text(*_head(recording), *lines, *_end(recording))


def _segments(recording: Recording, links: Links) -> Iterator[str]:
    before: StoredSegment | None = None
    for segment in recording.segments:
        is_joined = before is not None and before.end_ms == segment.start_ms and before.header == segment.header
        if before is not None and not is_joined:
            yield "#EXT-X-DISCONTINUITY"
        if before is None or before.header != segment.header:
            yield f'#EXT-X-MAP:URI="{links.stored(header_key(recording.session_id, segment.header))}"'
        if not is_joined:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{iso_utc(segment.start_ms)}"
        yield _duration(segment)
        yield links.stored(segment.key)
        before = segment


def _head(recording: Recording) -> Sequence[str]:
    slot_ms = int(recording.settings.grid_ms * _LONGEST_SLOT)
    longest_ms = max([slot_ms, *(segment.duration_ms for segment in recording.segments)])
    return (
        f"#EXT-X-TARGETDURATION:{-(-longest_ms // 1000)}",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-MEDIA-SEQUENCE:0",
    )


def _duration(segment: StoredSegment) -> str:
    return f"#EXTINF:{segment.duration_ms / 1000:.3f},"


def _end(recording: Recording) -> Sequence[str]:
    return ("#EXT-X-ENDLIST",) if recording.is_over else ()


def _text(*lines: str) -> str:
    return "\n".join(["#EXTM3U", "#EXT-X-VERSION:7", *lines]) + "\n"
