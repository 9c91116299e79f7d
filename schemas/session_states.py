"""The words for how far a session is, and what groups of them mean. Re-exported by `schemas.sessions`."""

from collections.abc import Mapping
from enum import StrEnum

from schemas.session_records import FactKind


class State(StrEnum):
    READY = "ready"  # before the first fact; only ever seen as an `old_state`
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    POST_PROCESSING = "post_processing"
    ENDED = "ended"
    FATAL_ERROR = "fatal_error"
    DATA_DELETED = "data_deleted"


class Progress(StrEnum):
    """Of a recording or a transcription."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    COMPLETE = "complete"
    FAILED = "failed"


class Awaited(StrEnum):
    """What must be stored, or have failed, before a session that was connected can end."""

    RECORDING = "recording"
    TRANSCRIPT = "transcript"
    EVENTS = "events"
    COPY = "external_media_storage"  # never in `AppSession.awaiting`, but in `awaits_copy`
    COMPOSED = "composed_view"  # likewise, in `awaits_composing`


LIVE = frozenset({State.CONNECTING, State.CONNECTED, State.DISCONNECTING})
"""States in which a connector worker must hold the session."""

TERMINAL = frozenset({State.ENDED, State.FATAL_ERROR, State.DATA_DELETED})

FENCED = frozenset(
    {
        FactKind.CONNECTED,
        FactKind.CONNECTION_FAILED,
        FactKind.STREAM_OVER,
        FactKind.STREAM_STOPPED,
        FactKind.DISCONNECTED,
    }
)
"""What a worker states about a session that it holds."""

DELETABLE = frozenset({State.ENDED, State.FATAL_ERROR})
"""States in which a session's data may be deleted."""

STORED: Mapping[FactKind, Awaited] = {
    FactKind.RECORDING_STORED: Awaited.RECORDING,
    FactKind.TRANSCRIPT_STORED: Awaited.TRANSCRIPT,
    FactKind.EVENTS_STORED: Awaited.EVENTS,
    FactKind.RECORDING_COPIED: Awaited.COPY,
    FactKind.RECORDING_COMPOSED: Awaited.COMPOSED,
}
"""Who states that something is stored, and what."""

NOT_STORED: Mapping[FactKind, Awaited] = {
    FactKind.RECORDING_FAILED: Awaited.RECORDING,
    FactKind.TRANSCRIPT_FAILED: Awaited.TRANSCRIPT,
    FactKind.EVENTS_FAILED: Awaited.EVENTS,
    FactKind.RECORDING_COPY_FAILED: Awaited.COPY,
    FactKind.RECORDING_COMPOSING_FAILED: Awaited.COMPOSED,
}
