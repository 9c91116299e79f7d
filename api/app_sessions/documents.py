"""An app session as clients see it. Pure.

Their keys are never removed or retyped; ours (`created_at`, `failures`, `holes`, `pauses`, `completeness`,
`retention_hours`, `expires_at`, `event_metadata`, `async_transcriptions`) come on top.
"""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from api.app_sessions.async_transcriptions import AsyncTranscriptionKeys, keys
from schemas import async_transcriptions, embedded_json, ids, retention
from schemas import settings as session_settings
from schemas.holes import completeness
from schemas.records import AppSession, HistoryEntry, Hole
from schemas.times import iso_utc


class EventDocument(TypedDict):
    """One step of the session's life. `sub_type` and `event_metadata` are there when they say something."""

    type: str
    created_at: str
    sub_type: NotRequired[str]
    event_metadata: NotRequired[dict[str, Any]]


class HoleDocument(TypedDict):
    """Media that is missing for good, [from_ms, to_ms) in Unix milliseconds; null = the medium as a whole."""

    medium: str
    participant_uuid: str | None
    from_ms: int
    to_ms: int
    cause: str


class PauseDocument(TypedDict):
    """Nothing was sent, because somebody paused the stream; Unix milliseconds, `to_ms` null while it lasts."""

    from_ms: int
    to_ms: int | None


class CompletenessDocument(TypedDict):
    """How much of a medium is missing; `complete` means that no hole is known so far."""

    complete: bool
    missing_ms: int


class AppSessionDocument(TypedDict):
    """An app session. From `expires_at` on its data is deleted; null: not by itself, or not known before its end."""

    id: str
    metadata: dict[str, str] | None
    state: str
    events: list[EventDocument]
    transcription_state: str
    recording_state: str
    deduplication_key: str | None
    zoom_rtms_stream_id: str
    created_at: str
    failures: list[str]
    holes: list[HoleDocument]
    pauses: list[PauseDocument]
    retention_hours: int | None
    expires_at: str | None
    completeness: dict[str, CompletenessDocument]
    async_transcriptions: list[AsyncTranscriptionKeys]


class AppSessionPage(TypedDict):
    """One page of app sessions, ascending by creation."""

    next: str | None
    previous: str | None
    results: list[AppSessionDocument]


def document(state: AppSession) -> AppSessionDocument:
    """`state` as it is answered."""
    return {
        "id": state.session_id,
        "metadata": embedded_json.read(state.metadata),
        "state": state.state,
        "events": [_event(entry) for entry in state.history if entry.event_type != async_transcriptions.CHANGED],
        "transcription_state": state.transcription_state,
        "recording_state": state.recording_state,
        "deduplication_key": state.deduplication_key,
        "zoom_rtms_stream_id": state.request.stream_id,
        "created_at": iso_utc(state.created_at_ms),
        "failures": list(state.failures),
        "holes": [_hole(state.session_id, hole) for hole in state.holes],
        "pauses": [{"from_ms": pause.from_ms, "to_ms": pause.to_ms} for pause in state.pauses],
        "retention_hours": session_settings.readable(state.settings).retention_hours,
        "expires_at": None if (due_ms := retention.due_ms(state)) is None else iso_utc(due_ms),
        "completeness": {
            medium: {"complete": found.is_complete, "missing_ms": found.missing_ms}
            for medium, found in completeness(state.holes).items()
        },
        "async_transcriptions": [keys(one) for one in state.async_transcriptions],
    }


def _event(entry: HistoryEntry) -> EventDocument:
    event: EventDocument = {"type": entry.event_type, "created_at": iso_utc(entry.created_at_ms)}
    if entry.sub_type:
        event["sub_type"] = entry.sub_type
    if metadata := embedded_json.read(entry.metadata):
        event["event_metadata"] = metadata
    return event


def _hole(session_id: str, hole: Hole) -> HoleDocument:
    participant = ids.participant_uuid(session_id, hole.participant_id) if hole.participant_id else None
    return {
        "medium": hole.medium,
        "participant_uuid": participant,
        "from_ms": hole.from_ms,
        "to_ms": hole.to_ms,
        "cause": hole.cause,
    }
