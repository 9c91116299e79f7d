"""The words for how far a session is, and what groups of them mean. Re-exported by `schemas.sessions`."""

from enum import StrEnum


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


LIVE = frozenset({State.CONNECTING, State.CONNECTED, State.DISCONNECTING})
"""States in which a connector worker must hold the session."""

TERMINAL = frozenset({State.ENDED, State.FATAL_ERROR, State.DATA_DELETED})

DELETABLE = frozenset({State.ENDED, State.FATAL_ERROR})
"""States in which a session's data may be deleted."""
