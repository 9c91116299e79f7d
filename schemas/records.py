"""The values of all topics, one class a topic, field for field what the Avro files say.

Units are in the names. Zoom's times are Unix milliseconds of Zoom's clock; `arrived_us` is Unix microseconds of the
connector worker's clock and is for measuring only: no decision may hang on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas import topics
from schemas.control_records import (
    ApiKey,
    ApiKeyUse,
    Claim,
    ClaimKind,
    Credential,
    CredentialKind,
    Project,
    Template,
    ZoomApp,
)
from schemas.session_records import (
    AppSession,
    AsyncTranscription,
    Deletion,
    ErasedPart,
    FactKind,
    HistoryEntry,
    Hole,
    Pause,
    SessionChange,
    SessionFact,
    Stored,
    StoredTrack,
    StreamRequest,
)
from schemas.webhook_records import (
    DeliveryAttempt,
    DeliveryStatus,
    WebhookDelivery,
    WebhookNotice,
    WebhookSubscription,
)

__all__ = [
    "CLASS_OF",
    "MEDIA_CLASS_OF",
    "ApiKey",
    "ApiKeyUse",
    "AppSession",
    "AsyncTranscription",
    "Audio",
    "Begin",
    "Caption",
    "Chat",
    "Claim",
    "ClaimKind",
    "Codec",
    "Credential",
    "CredentialKind",
    "DeadLetter",
    "Deletion",
    "DeliveryAttempt",
    "DeliveryStatus",
    "ErasedPart",
    "Event",
    "FactKind",
    "HistoryEntry",
    "Hole",
    "MediaRecord",
    "OutputKind",
    "ParticipantEvent",
    "Pause",
    "ProcessorState",
    "Project",
    "Record",
    "RecordKind",
    "Segment",
    "SessionChange",
    "SessionFact",
    "SpokenWord",
    "Stored",
    "StoredTrack",
    "StreamRequest",
    "Template",
    "TrackCount",
    "Utterance",
    "UtteranceStatus",
    "Video",
    "WebhookDelivery",
    "WebhookNotice",
    "WebhookSubscription",
    "ZoomApp",
]


class RecordKind(StrEnum):
    """What a record of a media topic is; all but frames are control records.

    `handed_over`, of sound alone, is the last of an epoch whose worker has read and written all that Zoom had sent:
    what was said later Zoom keeps for the next connection, so between the two epochs nothing is missing.
    """

    UNKNOWN = "unknown"
    FRAME = "frame"
    BEGIN = "begin"
    TICK = "tick"
    END = "end"
    HANDED_OVER = "handed_over"


class Codec(StrEnum):
    UNKNOWN = "unknown"
    NONE = "none"
    L16 = "l16"
    G711 = "g711"
    G722 = "g722"
    OPUS = "opus"
    JPG = "jpg"
    PNG = "png"
    H264 = "h264"


class OutputKind(StrEnum):
    """What a record of a processor's output topic is: an item, or the session's last word.

    Of segments a `track`'s items have a kind of their own: who does not know it would take them for the recording's.
    """

    UNKNOWN = "unknown"
    ITEM = "item"
    END = "end"
    TRACK = "track"


class UtteranceStatus(StrEnum):
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    FINAL = "final"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Begin:
    """Opens an epoch on a topic, after Zoom accepted the handshake and before any frame of the epoch.

    `settings` is the session's `SessionSettings` as JSON, `negotiated` what Zoom agreed to (its message 4) as JSON.
    `project_id` says whose session it is; empty where an earlier release began.
    """

    worker: str
    settings: str
    negotiated: str
    project_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRecord:
    """What all records of the six media topics share.

    `epoch` is the offset of the worker's acknowledged claim: after `begin(n + 1)` a reader ignores what is older, per
    session and topic. `sequence` counts per session, topic and epoch as frames come off the socket: a hole is a loss.
    For a `tick`, `timestamp_ms` says through which Zoom time everything of this medium has been written.
    `participant_id` is Zoom's user id, 0 for mixed media and control records; of somebody whom Zoom names by a channel
    (contact centers) it is `ids.participant_of_channel`.
    """

    session_id: str
    kind: RecordKind
    participant_id: int = 0
    participant_name: str | None = None
    epoch: int
    begin: Begin | None = None
    sequence: int
    timestamp_ms: int
    arrived_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(MediaRecord):
    """One chunk of one participant's audio; L16 is signed 16-bit little endian, `timestamp_ms` its first sample."""

    codec: Codec = Codec.NONE
    sample_rate_hz: int = 0
    channels: int = 0
    payload: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(MediaRecord):
    """One picture: an H.264 Annex-B access unit, a JPG or a PNG. Also the value of the share topic."""

    codec: Codec = Codec.NONE
    key_frame: bool = False
    payload: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption(MediaRecord):
    """One piece of Zoom's own transcript; `language` is Zoom's language number."""

    start_ms: int = 0
    end_ms: int = 0
    language: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat(MediaRecord):
    """One chat operation (`new`, `update`, `delete`, `add_reaction`, `remove_reaction`); `details` is JSON."""

    message_id: str = ""
    parent_message_id: str | None = None
    operation: str = ""
    text: str = ""
    details: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(MediaRecord):
    """One thing that happened to one participant or to the stream.

    `event` is its name (`participant_joined`, `participant_left`, `active_speaker_changed`, `video_on`, `video_off`,
    `sharing_started`, `sharing_stopped`, `media_interrupted`, `stream_state_changed`, `session_state_changed`,
    `first_packet`, `chat_group_created` and its like; in contact centers also `consumer_answered` and its like), `code`
    Zoom's number for it, `details` the rest as JSON.
    """

    event: str = ""
    code: int = 0
    details: str = "{}"


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word of an utterance, at Zoom's time."""

    word: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What somebody said, by one engine of `schemas.settings`. A higher `revision` replaces a lower one.

    `engine` is whose transcript it belongs to: the one that the session asks first; of a side transcript (`end`
    included) that one's id. `recognised_by` is the one that stood in for it, None where it did its work itself; of a
    side transcript the one that was asked. `words` only where the recogniser has their times. `reason` says
    why a `failed` one has no text. The `end` record closes the session's transcript; its `count` is the number of
    Zoom's captions before it: in how much of the sound a recogniser found a word, it does not know. Of a side
    transcript it is the number of utterances, and `reason` says why some of it has failed.
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
    there are no more of these.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorState:
    """What a processor's assignment has finished of one session; `state` is the checkpoint as canonical JSON."""

    session_id: str
    assignment: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An input that could not be used. `data` is at most its first 256 KiB; `length` and `sha256` are of the whole.

    A letter with `re_driven_to` is no input but a note: the one that stood at the same place (topic, partition, offset)
    was put back on its topic, where it has this offset. It has no `data`.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    session_id: str | None = None
    length: int
    sha256: str
    data: bytes = field(repr=False)
    key: bytes | None = field(default=None, repr=False)
    re_driven_to: int | None = None


Record = (
    MediaRecord
    | Utterance
    | ParticipantEvent
    | Segment
    | SessionFact
    | AppSession
    | SessionChange
    | Project
    | ApiKey
    | ApiKeyUse
    | Template
    | ZoomApp
    | Credential
    | Claim
    | WebhookSubscription
    | WebhookNotice
    | WebhookDelivery
    | ProcessorState
    | DeadLetter
)

MEDIA_CLASS_OF: Mapping[str, type[MediaRecord]] = {
    topics.AUDIO.name: Audio,
    topics.VIDEO.name: Video,
    topics.SHARE.name: Video,
    topics.CAPTIONS.name: Caption,
    topics.CHAT.name: Chat,
    topics.EVENTS.name: Event,
}

CLASS_OF: Mapping[str, type[Record]] = {
    **MEDIA_CLASS_OF,
    topics.SESSION_FACTS.name: SessionFact,
    topics.APP_SESSIONS.name: AppSession,
    topics.SESSION_CHANGES.name: SessionChange,
    topics.TRANSCRIPTS.name: Utterance,
    topics.TRANSCRIPT_PARTIALS.name: Utterance,
    topics.PARTICIPANT_EVENTS.name: ParticipantEvent,
    topics.RECORDING_SEGMENTS.name: Segment,
    topics.TRANSCRIPTION_STATE.name: ProcessorState,
    topics.MUXING_STATE.name: ProcessorState,
    topics.PARTICIPANTS_STATE.name: ProcessorState,
    topics.PROJECTS.name: Project,
    topics.API_KEYS.name: ApiKey,
    topics.API_KEY_USES.name: ApiKeyUse,
    topics.TEMPLATES.name: Template,
    topics.ZOOM_APPS.name: ZoomApp,
    topics.CREDENTIALS.name: Credential,
    topics.CLAIMS.name: Claim,
    topics.WEBHOOK_SUBSCRIPTIONS.name: WebhookSubscription,
    topics.WEBHOOK_NOTICES.name: WebhookNotice,
    topics.WEBHOOK_DELIVERIES.name: WebhookDelivery,
    topics.DEAD_LETTERS.name: DeadLetter,
}
