"""Side transcripts: what was recorded is transcribed once more, after the session, by another engine. Pure.

One is asked for as a fact, begun and read by transcription, and stored by the ClickHouse sink; how far it is stands in
the session's state. Its utterances are the session's own, under the side transcript's id in the place of the engine:
so whoever reads one engine's transcript never meets them, and what is deleted of the session is deleted of them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import msgspec

from schemas import settings as session_settings
from schemas.records import AppSession, AsyncTranscription, FactKind, HistoryEntry, SessionFact
from schemas.session_states import Progress, State
from schemas.transcription_codes import INTERNAL_ERROR

MOST = 4
"""Of a session, those that failed included."""

CHANGED = "async_transcription_state_change"
"""The event of a session's history that says of one how far it is."""

DATA_DELETED = "data_deleted"
SOUND_MISSING = "stored_audio_missing"
SOUND_UNREADABLE = "stored_audio_unreadable"
"""Why one has failed, besides `transcription_codes`; of sound, also why a complete one has a hole."""

_SEPARATOR = ","
_OVER = frozenset({Progress.COMPLETE, Progress.FAILED})

Transition = Callable[[AppSession, SessionFact, int], AppSession]


def named(session: AppSession, transcription_id: str | None) -> AsyncTranscription | None:
    return next((one for one in session.async_transcriptions if one.transcription_id == transcription_id), None)


def unfinished(session: AppSession) -> tuple[AsyncTranscription, ...]:
    """Those of which something is still to be stored or to fail, in the order in which they were asked for."""
    return tuple(one for one in session.async_transcriptions if one.state not in _OVER)


def together(reasons: Iterable[str]) -> str | None:
    """Several reasons as one fact has them, None of none."""
    return _SEPARATOR.join(sorted(set(reasons))) or None


def failure_data(one: AsyncTranscription) -> dict[str, list[str]] | None:
    """Why it failed; of a complete one, why some of the sound is not in it."""
    return None if one.reason is None else {"failure_reasons": one.reason.split(_SEPARATOR)}


def can_be_had(session: AppSession) -> bool:
    """Whether there may be one more: the session is over, its participants' sound was kept, and nothing is deleted."""
    is_deleted = session.deletion is not None or session.transcript_deletion is not None
    has_sound = session_settings.readable(session.settings).keeps_voices
    return session.state == State.ENDED and has_sound and not is_deleted and len(session.async_transcriptions) < MOST


def abandoned(session: AppSession, at_ms: int) -> AppSession:
    """After its data or its transcript was deleted: what is unfinished will never be read."""
    for one in unfinished(session):
        session = _moved(session, one, Progress.FAILED, at_ms, DATA_DELETED)
    return session


def _requested(session: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """The order of the log decides who gets the last place, however many replicas take requests."""
    if fact.transcription_id is None or fact.settings is None or named(session, fact.transcription_id) is not None:
        return session
    if not can_be_had(session):
        return session
    asked = AsyncTranscription(
        transcription_id=fact.transcription_id,
        settings=fact.settings,
        state=Progress.NOT_STARTED,
        created_at_ms=at_ms,
        updated_at_ms=at_ms,
    )
    return replace(session, async_transcriptions=(*session.async_transcriptions, asked))


def _begun(session: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    one = named(session, fact.transcription_id)
    if one is None or one.state != Progress.NOT_STARTED:
        return session
    return _moved(session, one, Progress.IN_PROGRESS, at_ms)


def _stored(session: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """The first word counts: a repetition may have found somebody else awake."""
    one = named(session, fact.transcription_id)
    if one is None or one.state in _OVER:
        return session
    if fact.kind is FactKind.ASYNC_TRANSCRIPTION_FAILED:
        return _moved(session, one, Progress.FAILED, at_ms, fact.reason or INTERNAL_ERROR)
    return _moved(session, one, Progress.COMPLETE, at_ms, fact.reason)


def _moved(
    session: AppSession, one: AsyncTranscription, to: Progress, at_ms: int, reason: str | None = None
) -> AppSession:
    moved = replace(one, state=to, reason=reason, updated_at_ms=at_ms)
    told = {"id": one.transcription_id, "state": to, "failure_data": failure_data(moved)}
    entry = HistoryEntry(
        event_type=CHANGED,
        old_state=session.state,
        new_state=session.state,
        created_at_ms=at_ms,
        metadata=msgspec.json.encode(told).decode(),
    )
    others = tuple(moved if other is one else other for other in session.async_transcriptions)
    return replace(session, async_transcriptions=others, history=(*session.history, entry))


TRANSITIONS: Mapping[FactKind, Transition] = {
    FactKind.ASYNC_TRANSCRIPTION_REQUESTED: _requested,
    FactKind.ASYNC_TRANSCRIPTION_BEGUN: _begun,
    FactKind.ASYNC_TRANSCRIPTION_STORED: _stored,
    FactKind.ASYNC_TRANSCRIPTION_FAILED: _stored,
}
"""What each fact does to a session that has ended; in every other state there is none that could be unfinished."""
