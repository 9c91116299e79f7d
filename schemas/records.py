"""The values of all topics, one class a topic, field for field what the Avro files say.

Units are in the names. Zoom's times are Unix milliseconds of Zoom's clock; `arrived_us` is Unix microseconds of the
connector worker's clock and is for measuring only: no decision may hang on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas import topics


class RecordKind(StrEnum):
    """What a record of a media topic is; `begin`, `tick` and `end` are the control records between the frames."""

    UNKNOWN = "unknown"
    FRAME = "frame"
    BEGIN = "begin"
    TICK = "tick"
    END = "end"


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
    """What a record of a processor's output topic is: an item, or the session's last word."""

    UNKNOWN = "unknown"
    ITEM = "item"
    END = "end"


class UtteranceStatus(StrEnum):
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    FINAL = "final"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Begin:
    """Opens an epoch on a topic, after Zoom accepted the handshake and before any frame of the epoch.

    `settings` is the session's `SessionSettings` as JSON, `negotiated` what Zoom agreed to (its message 4) as JSON.
    """

    worker: str
    settings: str
    negotiated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRecord:
    """What all records of the six media topics share.

    `epoch` is the offset of the worker's acknowledged claim: after `begin(n + 1)` a reader ignores what is older, per
    session and topic. `sequence` counts per session, topic and epoch as frames come off the socket: a hole is a loss.
    For a `tick`, `timestamp_ms` says through which Zoom time everything of this medium has been written.
    `participant_id` is Zoom's user id, 0 for mixed media and control records.
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
    `first_packet`), `code` Zoom's number for it, `details` the rest as JSON.
    """

    event: str = ""
    code: int = 0
    details: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What somebody said, by one engine (`zoom` or `moonshine`). A higher `revision` replaces a lower one.

    `reason` says why a `failed` one has no text. The `end` record closes the session's transcript; its `count` is the
    number of utterances before it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantEvent:
    """`event` is `join` or `leave`; `details` is JSON. The `end` record closes the session's list."""

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
class Segment:
    """A few seconds of the recording as a fragmented MP4: `init` + `payload` plays by itself.

    Times inside are relative to `origin_ms`, the start of the session's first segment. `slot` is the grid slot that
    the segment belongs to, `part` counts where a slot had to be cut by size. The `end` record has `start_ms` = origin,
    `duration_ms` = the whole recording's and `count` = the number of segments.
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


class FactKind(StrEnum):
    """What can be stated about a session; `schemas.sessions` says what each does to its state."""

    UNKNOWN = "unknown"
    REQUESTED = "requested"
    END_REQUESTED = "end_requested"
    CLAIMED = "claimed"
    CONNECTED = "connected"
    CONNECTION_FAILED = "connection_failed"
    HOLE_FOUND = "hole_found"
    STREAM_OVER = "stream_over"
    DISCONNECTED = "disconnected"
    DEADLINE_PASSED = "deadline_passed"
    RECORDING_STORED = "recording_stored"
    RECORDING_FAILED = "recording_failed"
    TRANSCRIPT_STORED = "transcript_stored"
    TRANSCRIPT_FAILED = "transcript_failed"
    EVENTS_STORED = "events_stored"
    EVENTS_FAILED = "events_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """What is needed to join one RTMS stream. `product` is meeting, webinar, session, contact_center or phone."""

    product: str
    meeting_id: str
    stream_id: str
    server_urls: tuple[str, ...]
    operator_id: str | None = None
    zoom_app_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a sink put where: an object's key and size, or a number of rows (`count`)."""

    key: str | None = None
    size_bytes: int = 0
    start_ms: int = 0
    duration_ms: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Media that is missing for good, [from_ms, to_ms) of Zoom's clock; participant 0 = the medium as a whole."""

    medium: str
    participant_id: int = 0
    from_ms: int
    to_ms: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFact:
    """One statement about one session; never changed, never compacted.

    `epoch` is the claim that the stating worker holds (for a `claimed` fact it is 0: its own offset becomes the
    epoch). `reason` is a short code. `settings` (JSON of `SessionSettings`), `metadata` (JSON) and `request` come with
    `requested` only.
    """

    session_id: str
    kind: FactKind
    project_id: str | None = None
    source: str = ""
    worker: str | None = None
    epoch: int | None = None
    reason: str | None = None
    request: StreamRequest | None = None
    settings: str | None = None
    metadata: str | None = None
    stored: Stored | None = None
    hole: Hole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One event of a session's life as its clients see it; `metadata` is JSON."""

    event_type: str
    sub_type: str | None = None
    old_state: str
    new_state: str
    created_at_ms: int
    metadata: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSession:
    """The whole state of a session; the newest record of its key is the truth.

    `folded_offset` is the offset of the last fact in it, `facts_topic_id` the id of the topic that offset belongs to.
    `awaiting` lists what must still be stored or failed (`recording`, `transcript`, `events`) before it can end.
    """

    session_id: str
    project_id: str
    state: str
    request: StreamRequest
    settings: str
    metadata: str | None
    history: tuple[HistoryEntry, ...]
    recording_state: str
    transcription_state: str
    awaiting: tuple[str, ...]
    created_at_ms: int
    epoch: int
    worker: str | None = None
    connected_once: bool = False
    recording: Stored | None = None
    holes: tuple[Hole, ...] = ()
    failures: tuple[str, ...] = ()
    folded_offset: int
    facts_topic_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """One step of a session's life, in order; `sequence` counts from 0 within the session."""

    session_id: str
    project_id: str
    sequence: int
    change: HistoryEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    project_id: str
    name: str
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The secret itself is shown once and never kept: only its SHA-256 (hex)."""

    key_id: str
    project_id: str
    name: str
    secret_sha256: str
    disabled: bool = False
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomApp:
    """Zoom credentials of a project; secrets are encrypted with the deployment's key ring."""

    zoom_app_id: str
    project_id: str
    client_id: str
    client_secret_encrypted: str
    webhook_secret_encrypted: str | None = None
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorState:
    """What a processor's assignment has finished of one session; `state` is the checkpoint as canonical JSON."""

    session_id: str
    assignment: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An input that could not be used. `data` is at most its first 256 KiB; `length` and `sha256` are of the whole."""

    topic: str
    partition: int
    offset: int
    reason: str
    session_id: str | None = None
    length: int
    sha256: str
    data: bytes = field(repr=False)


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
    | ZoomApp
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
    topics.PARTICIPANT_EVENTS.name: ParticipantEvent,
    topics.RECORDING_SEGMENTS.name: Segment,
    topics.TRANSCRIPTION_STATE.name: ProcessorState,
    topics.MUXING_STATE.name: ProcessorState,
    topics.PARTICIPANTS_STATE.name: ProcessorState,
    topics.PROJECTS.name: Project,
    topics.API_KEYS.name: ApiKey,
    topics.ZOOM_APPS.name: ZoomApp,
    topics.DEAD_LETTERS.name: DeadLetter,
}
