"""The values of the topics that tell a session's life: facts, the state that is folded from them, and its changes.

Re-exported by `schemas.records`, where the values of all topics are found.
"""

from dataclasses import dataclass
from enum import StrEnum


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
    METADATA_REPLACED = "metadata_replaced"
    TRANSCRIPT_DELETED = "transcript_deleted"
    DATA_DELETED = "data_deleted"
    DATA_FOUND = "data_found"
    DATA_ERASED = "data_erased"
    PAUSED = "paused"
    RESUMED = "resumed"
    ARCHIVED = "archived"
    RECALLED = "recalled"
    ASYNC_TRANSCRIPTION_REQUESTED = "async_transcription_requested"
    ASYNC_TRANSCRIPTION_BEGUN = "async_transcription_begun"
    ASYNC_TRANSCRIPTION_STORED = "async_transcription_stored"
    ASYNC_TRANSCRIPTION_FAILED = "async_transcription_failed"
    RECORDING_COPIED = "recording_copied"
    RECORDING_COPY_FAILED = "recording_copy_failed"
    RECORDING_COMPOSED = "recording_composed"
    RECORDING_COMPOSING_FAILED = "recording_composing_failed"
    STREAM_STOPPED = "stream_stopped"
    MEDIUM_REFUSED = "medium_refused"


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
class StoredTrack:
    """What became of a track (`schemas.tracks`) of a recording: where its file is, or the `reason` why there is none.

    `start_ms` and `duration_ms` are the recording's, and so are the file's: all files of a meeting line up. `count` is
    the number of segments.
    """

    track: str
    key: str | None = None
    size_bytes: int = 0
    start_ms: int = 0
    duration_ms: int = 0
    count: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Media that is missing for good, [from_ms, to_ms) of Zoom's clock; participant 0 = the medium as a whole."""

    medium: str
    participant_id: int = 0
    from_ms: int
    to_ms: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedPart:
    """What was found of one part of a session's data, and when (ms of the broker's clock) it was gone; None: not yet.

    `part` is one of `schemas.deletion.Part`.
    """

    part: str
    count: int
    size_bytes: int = 0
    erased_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """Since when a session's data is to be gone, why (a short code), and how far that is done.

    Of a transcript alone `until_ms` says up to when (Zoom's clock) what was said is meant; None: all of it.
    """

    reason: str
    asked_at_ms: int
    parts: tuple[ErasedPart, ...] = ()
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing was sent, because somebody paused the stream: [from_ms, to_ms) of Zoom's clock; None: it lasts."""

    from_ms: int
    to_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncTranscription:
    """A side transcript that somebody asked for after the session: how far it is (`Progress`), and why it failed.

    `settings` (JSON of `SessionSettings`) says by whom, `reason` has short codes with commas.
    """

    transcription_id: str
    settings: str
    state: str
    created_at_ms: int
    updated_at_ms: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFact:
    """One statement about one session; never changed, never compacted.

    `epoch` is the claim that the stating worker holds (for a `claimed` fact it is 0: its own offset becomes the
    epoch). `reason` is a short code, of an async transcription several with commas. `settings` (JSON of
    `SessionSettings`), `request`, `deduplication_key`, `webhooks` (JSON) and `given` come with `requested` only,
    `metadata` (JSON) also with `metadata_replaced`, `settings` with `async_transcription_requested`. `given` names the
    fields that the caller chose; the others are a template's or the defaults. `part` (`schemas.deletion.Part`) comes
    with `data_found` and `data_erased`, which say in `stored` how much there was. `as_of_ms` is when the stream was
    `paused` or `resumed` (Zoom's clock); of a transcript's `data_found` and `data_erased`, which deletion is meant.
    `folded_offset` says which state was `archived`, `document` (JSON of `AppSession`) is the one that is `recalled`.
    `tracks` come with `recording_stored` and `recording_failed`, `transcription_id` says which async transcription is
    meant, `address` (with `claimed`) where other workers reach the one that claims, as host:port.
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
    deduplication_key: str | None = None
    webhooks: str | None = None
    given: tuple[str, ...] = ()
    part: str | None = None
    as_of_ms: int | None = None
    folded_offset: int | None = None
    document: str | None = None
    transcription_id: str | None = None
    tracks: tuple[StoredTrack, ...] = ()
    address: str | None = None


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
    `awaiting` lists what must still be stored or failed (`recording`, `transcript`, `events`) before it can end, and it
    `awaits_copy` of the recording in the customer's bucket, too: beside the list, whose words the first release knows
    all. `external_copy` is that copy: its key is "bucket/name". It is the customer's, so it outlives a deletion.
    `composed` is the recording as its view asks for it, drawn after the end; `awaits_composing` is as of the copy.
    `webhooks` is JSON (None: the project's own are meant), `given` names the fields that a caller chose. With a
    `deletion` all data is gone, and nobody writes or shows any of it again; its `state` says `data_deleted` once it is
    over. With a `transcript_deletion` that holds for what was said, up to some time or all of it. `tracks` are the
    recording's, once it is stored; `async_transcriptions` are in the order in which they were asked for. Clients never
    see the `addresses` of the workers that claimed it last, the newest first; there are none once it is not live.
    `stopped_at_ms` is when (the broker's clock) Zoom stopped the stream for a reason that may pass.
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
    deduplication_key: str | None = None
    webhooks: str | None = None
    given: tuple[str, ...] = ()
    deletion: Deletion | None = None
    transcript_deletion: Deletion | None = None
    pauses: tuple[Pause, ...] = ()
    async_transcriptions: tuple[AsyncTranscription, ...] = ()
    tracks: tuple[StoredTrack, ...] = ()
    external_copy: Stored | None = None
    awaits_copy: bool = False
    composed: Stored | None = None
    awaits_composing: bool = False
    addresses: tuple[str, ...] = ()
    stopped_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """One step of a session's life, in order; `sequence` counts from 0 within the session."""

    session_id: str
    project_id: str
    sequence: int
    change: HistoryEntry
