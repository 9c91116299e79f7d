"""A recording as HLS playlists, made of the names of what is stored: they grow while the meeting goes on. Pure."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from api.media.formats import Format
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
from schemas.records import Pause
from schemas.times import iso_utc

MEDIA_TYPE = "application/vnd.apple.mpegurl"

PAUSE = "rtms-pause"
"""The class of marks in a recording's playlist: nothing was sent meanwhile, because somebody had paused the stream."""

UNKNOWN = Format()

_LONGEST_SLOT = 1.5
"""No segment is longer than so many slots."""


class Links(Protocol):
    """Makes links of keys."""

    def made(self, key: str) -> str:
        """To what is made when it is asked for."""

    def stored(self, key: str) -> str:
        """To an object."""


class _Mark(NamedTuple):
    """A line that stands before the first segment that ends after `at_ms`."""

    at_ms: int
    line: str


def index(recording: Recording, links: Links, coded: Format = UNKNOWN) -> str:
    """What there is to play; `coded` as its headers say."""
    return _text(
        *(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="said",NAME="{name}",{_language(language)}DEFAULT=NO,'
            f'AUTOSELECT={selected},FORCED=NO,URI="{links.made(playlist_key(recording.session_id, playlist))}"'
            for name, playlist, selected, language in (
                ("Transcript", TRANSCRIPT, "YES", recording.settings.spoken_language),
                ("Chat", CHAT, "NO", None),
            )
        ),
        f'#EXT-X-STREAM-INF:BANDWIDTH={max(recording.bits_per_s, 1)},{_coded(coded)}SUBTITLES="said"',
        links.made(playlist_key(recording.session_id, RECORDING)),
    )


def recording(recording: Recording, links: Links) -> str:
    """The pictures and the sound, and where nothing was sent because somebody had paused the stream."""
    marks = deque(_marks(recording.pauses))
    lines: list[str] = []
    for before, segment in _after_another(recording.segments):
        while marks and marks[0].at_ms < segment.end_ms:
            lines.append(marks.popleft().line)
        header = links.stored(header_key(recording.session_id, segment.header))
        lines += [*_seam(before, segment, header), _duration(segment), links.stored(segment.key)]
    left = [mark.line for mark in marks] if recording.is_over else []
    return _text(*_head(recording), *lines, *left, *_end(recording))


def transcript(recording: Recording, links: Links) -> str:
    """What was said: a file of subtitles for each segment."""
    return _cued(recording, links, subtitles_key)


def chat(recording: Recording, links: Links) -> str:
    """What was written, in the same way."""
    return _cued(recording, links, chat_key)


def _cued(recording: Recording, links: Links, key_of: Callable[[str, int, StoredSegment], str]) -> str:
    lines = []
    for before, segment in _after_another(recording.segments):
        origin_ms = recording.segments[0].start_ms
        link = links.made(key_of(recording.session_id, origin_ms, segment))
        lines += [*_seam(before, segment), _duration(segment), link]
    return _text(*_head(recording), *lines, *_end(recording))


def _after_another(segments: Sequence[StoredSegment]) -> Iterator[tuple[StoredSegment | None, StoredSegment]]:
    """Each with the one before it."""
    return zip((None, *segments), segments, strict=False)


def _seam(before: StoredSegment | None, segment: StoredSegment, header: str = "") -> Iterator[str]:
    """What stands where a segment is not simply the next one. Seams and dates are the same in every playlist: players
    line subtitles up by them."""
    has_other_header = before is None or before.header != segment.header
    is_joined = before is not None and before.end_ms == segment.start_ms and not has_other_header
    if before is not None and not is_joined:
        yield "#EXT-X-DISCONTINUITY"
    if header and has_other_header:
        yield f'#EXT-X-MAP:URI="{header}"'
    if not is_joined:
        yield f"#EXT-X-PROGRAM-DATE-TIME:{iso_utc(segment.start_ms)}"


def _marks(pauses: Iterable[Pause]) -> Iterator[_Mark]:
    """A pause begins and goes on to be told when it is over: no line is said before what it says is known."""
    for pause in pauses:
        begun = f'#EXT-X-DATERANGE:ID="pause-{pause.from_ms}",CLASS="{PAUSE}",START-DATE="{iso_utc(pause.from_ms)}"'
        yield _Mark(pause.from_ms, begun)
        if pause.to_ms is not None:
            yield _Mark(pause.to_ms, f"{begun},DURATION={(pause.to_ms - pause.from_ms) / 1000:.3f}")


def _language(tag: str | None) -> str:
    return f'LANGUAGE="{tag}",' if tag else ""


def _coded(coded: Format) -> str:
    codecs = f'CODECS="{",".join(coded.codecs)}",' if coded.codecs else ""
    return codecs + (f"RESOLUTION={coded.size[0]}x{coded.size[1]}," if coded.size else "")


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
