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
from schemas.output_records import (
    OutputKind,
    ParticipantEvent,
    Segment,
    SpokenWord,
    TrackCount,
    Utterance,
    UtteranceStatus,
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
    what was said later Zoom keeps for the next connection, so between the two epochs nothing is missing, where the one
    `follows` the other.
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


NO_EPOCH = -1
"""Where there was none."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Opens an epoch on a topic, after Zoom accepted the handshake and before any frame of the epoch.

    `settings` is the session's `SessionSettings` as JSON, `negotiated` what Zoom agreed to (its message 4) as JSON.
    `project_id` says whose session it is; empty where an earlier release began. `follows` is the epoch that was claimed
    before, whether or not anything of it is on the topic; `NO_EPOCH` where there was none, or an earlier release began.
    """

    worker: str
    settings: str
    negotiated: str
    project_id: str = ""
    follows: int = NO_EPOCH


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
    """One piece of Zoom's own transcript; `language` is Zoom's language number.

    `operation` is `new`, or how Zoom has changed its mind about one that it sent before (`update`, `delete`), which
    the participant and the times tell: captions have no ids.
    """

    start_ms: int = 0
    end_ms: int = 0
    language: int | None = None
    text: str = ""
    operation: str = "new"


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
