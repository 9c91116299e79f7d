"""The values of the topics that processors write: what was said, what participants did, what the recording is made of.

Re-exported by `schemas.records`, where the values of all topics are found.
"""

from dataclasses import dataclass
from enum import StrEnum


class OutputKind(StrEnum):
    """What a record of a processor's output topic is: an item, or the session's last word.

    Of segments a `track`'s items have a kind of their own: who does not know it would take them for the recording's. So
    has a side transcript's last word, and that of a track which is made after the end: they would be taken for the
    session's.
    """

    UNKNOWN = "unknown"
    ITEM = "item"
    END = "end"
    TRACK = "track"
    SIDE_END = "side_end"
    TRACK_END = "track_end"


class UtteranceStatus(StrEnum):
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    FINAL = "final"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word of an utterance, at Zoom's time."""

    word: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What somebody said, by one engine of `schemas.settings`. A higher `revision` replaces a lower one.

    `engine` is whose transcript it belongs to: the one that the session asks first; of a side transcript (`side_end`
    included) that one's id. `recognised_by` is the one that stood in for it, None where it did its work itself; of a
    side transcript the one that was asked. `words` only where the recogniser has their times. `reason` says
    why a `failed` one has no text. The `end` record closes the session's transcript; its `count` is the number of
    Zoom's captions before it: in how much of the sound a recogniser found a word, it does not know. Of a
    `side_end` it is the number of utterances, and `reason` says why some of the sound is not in them. `withdraws`: Zoom
    has deleted words that a lower revision has, all of them if there is no `text`; whoever kept those forgets them.
    """

    session_id: str
    kind: OutputKind
    utterance_id: str = ""
    revision: int = 0
    status: UtteranceStatus = UtteranceStatus.FINAL
    engine: str = ""
    participant_id: int = 0
    participant_name: str | None = None
    start_ms: int = 0
    end_ms: int = 0
    language: str | None = None
    text: str = ""
    reason: str | None = None
    count: int = 0
    recognised_by: str | None = None
    model: str | None = None
    words: tuple[SpokenWord, ...] = ()
    withdraws: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantEvent:
    """`event` is one of `schemas.participant_events`; `details` is JSON, of chat that of `schemas.chat_messages`.

    The `end` record closes the session's list; its `count` is the number of different ids before it.
    """

    session_id: str
    kind: OutputKind
    event_id: str = ""
    event: str = ""
    participant_id: int = 0
    participant_name: str | None = None
    timestamp_ms: int = 0
    details: str = "{}"
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackCount:
    """How many segments a track of a recording has."""

    track: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A few seconds of the recording as a fragmented MP4: `init` + `payload` plays by itself.

    Times inside are relative to `origin_ms`, the start of the session's first segment. `slot` is the grid slot that
    the segment belongs to, `part` counts where a slot had to be cut by size. `track` (`schemas.tracks`) is what it
    belongs to: the recording itself, one participant's sound or the shared screens; only the recording has a segment
    for every slot, the others where there is something of them. The `end` record has `start_ms` = origin, `duration_ms`
    = the whole recording's and `count` = the number of its segments, in `tracks` those of the others; `reason` says why
    there are no more of these. So has a `track_end`, of the tracks alone that it closes.
    """

    session_id: str
    kind: OutputKind
    segment_id: str = ""
    slot: int = 0
    part: int = 0
    origin_ms: int = 0
    start_ms: int = 0
    duration_ms: int = 0
    independent: bool = False
    pictures: int = 0
    audio_samples: int = 0
    init: bytes = b""
    payload: bytes = b""
    count: int = 0
    track: str = ""
    tracks: tuple[TrackCount, ...] = ()
    reason: str | None = None
