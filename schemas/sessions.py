"""The life of an App Session as a pure fold: state + fact -> state'. Total: every state answers every fact.

Rules of this file: what changes a session's state stands here and nowhere else; nothing here knows the time, a broker
or who calls. The words of states, events and sub types are those of the App Session API; what the table does not list
is ignored on purpose (`IGNORED` says so, and a test enumerates all pairs).

A change that clients hear of appends to `history`; so the changes of a fold are simply the history's new entries.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from schemas import (
    archiving,
    async_transcriptions,
    awaiting,
    conclusion,
    deletion,
    pauses,
    reaching,
    recordings,
    refusals,
    requests,
    retention,
    stops,
)
from schemas import settings as session_settings
from schemas.holes import kept
from schemas.records import NO_EPOCH, AppSession, Deletion, FactKind, HistoryEntry, SessionChange, SessionFact
from schemas.session_states import DELETABLE, FENCED, LIVE, NOT_STORED, STORED, TERMINAL, Awaited, Progress, State
from schemas.settings import RecordingFormat

__all__ = ["DELETABLE", "LIVE", "TERMINAL", "Awaited", "Progress", "State", "changes", "fold"]

CONNECTING_DEADLINE = "connecting"
DISCONNECTING_DEADLINE = "disconnecting"
POST_PROCESSING_DEADLINE = "post_processing"
TOTAL_DEADLINE = "total"

Transition = Callable[[AppSession, SessionFact, int], AppSession | None]
"""None: there is no state any more."""


def fold(state: AppSession | None, fact: SessionFact, offset: int, at_ms: int) -> AppSession | None:
    """The state after `fact`, which stands at `offset` of the session's partition and was appended at `at_ms`.

    None without a state before it means that the fact speaks of a session that is not known; after one, that the
    session is archived. The result always has the new `folded_offset`, so that whoever wrote the fact can wait for it;
    a fact that is already folded changes nothing.
    """
    if state is None:
        return _begun(fact, offset, at_ms)
    if offset <= state.folded_offset:
        return state
    if _is_stale(state, fact):
        return replace(state, folded_offset=offset)
    if fact.kind is FactKind.CLAIMED and state.state in LIVE:
        state = replace(state, epoch=offset, worker=fact.worker, addresses=reaching.claimed(state.addresses, fact))
    else:
        transition = TABLE[State(state.state)].get(fact.kind, IGNORED)
        after = transition(state, fact, at_ms)
        if after is None:
            return None
        state = _without_data(after, at_ms)
    if state.state not in LIVE:
        state = replace(state, addresses=(), stopped_at_ms=None)  # nobody is to be reached or waited for any more
    return replace(state, folded_offset=offset)


def changes(before: AppSession | None, after: AppSession) -> list[SessionChange]:
    """What happened between two states of one session, in order; before its request there is none."""
    seen = len(before.history) if before else 0
    return [
        SessionChange(session_id=after.session_id, project_id=after.project_id, sequence=index, change=entry)
        for index, entry in enumerate(after.history[seen:], start=seen)
    ]


def _is_stale(state: AppSession, fact: SessionFact) -> bool:
    """A worker that lost its claim may still speak: what it says under the old epoch does not count."""
    return fact.epoch is not None and fact.kind in FENCED and fact.epoch != state.epoch


def _begun(fact: SessionFact, offset: int, at_ms: int) -> AppSession | None:
    """Where no state is known: a session begins, or one that is archived comes back as it was."""
    if fact.kind is FactKind.RECALLED and (recalled := archiving.recalled(fact)) is not None:
        return replace(recalled, folded_offset=offset)
    if fact.kind is not FactKind.REQUESTED or fact.request is None:
        return None
    return _requested(fact, offset, at_ms)


def _requested(fact: SessionFact, offset: int, at_ms: int) -> AppSession:
    assert fact.request is not None
    state = AppSession(
        session_id=fact.session_id,
        project_id=fact.project_id or "",
        state=State.READY,
        request=fact.request,
        settings=fact.settings or session_settings.dumps(session_settings.SessionSettings()),
        metadata=fact.metadata,
        deduplication_key=fact.deduplication_key,
        webhooks=fact.webhooks,
        given=() if fact.source == requests.DIRECT else fact.given,
        history=(),
        recording_state=Progress.NOT_STARTED,
        transcription_state=Progress.NOT_STARTED,
        awaiting=(),
        created_at_ms=at_ms,
        epoch=NO_EPOCH,
        folded_offset=offset,
    )
    return _enter(state, State.CONNECTING, "app_session_connection_requested", at_ms, metadata={"source": fact.source})


def _enter(
    state: AppSession,
    new: State,
    event: str,
    at_ms: int,
    *,
    sub_type: str | None = None,
    metadata: Mapping[str, object] | None = None,
) -> AppSession:
    entry = HistoryEntry(
        event_type=event,
        sub_type=sub_type,
        old_state=state.state,
        new_state=new,
        created_at_ms=at_ms,
        metadata=msgspec.json.encode(metadata or {}).decode(),
    )
    return replace(state, state=new, history=(*state.history, entry))


def _ignored(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return state


IGNORED: Transition = _ignored


def _requested_again(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """A live stream announced again: Zoom moved it if the URLs differ; else it is a retry, or somebody else's word."""
    state = requests.merged(state, fact)
    if fact.request is None or not fact.request.server_urls:
        return state
    return replace(state, request=replace(state.request, server_urls=fact.request.server_urls))


def _connected(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return _enter(_media_flows(state), State.CONNECTED, "app_session_connected", at_ms)


def _connected_too_late(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """The end was asked for meanwhile; but there is media, so what becomes of it is awaited."""
    return state if state.connected_once else _media_flows(state)


def _media_flows(state: AppSession) -> AppSession:
    settings = session_settings.readable(state.settings)
    records = settings.recording_format is not RecordingFormat.NONE
    return replace(
        state,
        connected_once=True,
        stopped_at_ms=None,
        recording_state=Progress.IN_PROGRESS if records else Progress.NOT_STARTED,
        transcription_state=Progress.IN_PROGRESS,
        awaiting=((Awaited.RECORDING,) if records else ()) + (Awaited.TRANSCRIPT, Awaited.EVENTS),
        awaits_copy=records and bool(settings.copy_bucket),
        awaits_composing=settings.is_composed,
    )


def _connection_failed(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return _fail(state, "zoom_connection_failed", fact.reason or "unknown", at_ms)


def _fail(state: AppSession, sub_type: str, reason: str, at_ms: int) -> AppSession:
    state = _enter(state, State.FATAL_ERROR, "fatal_error", at_ms, sub_type=sub_type, metadata={"reason": reason})
    state = replace(state, recording_state=Progress.FAILED, transcription_state=Progress.FAILED)
    return awaiting.nothing(state)


def _disconnect(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    metadata = {"source": fact.source} | ({"reason": fact.reason} if fact.reason else {})
    return _enter(state, State.DISCONNECTING, "app_session_disconnect_requested", at_ms, metadata=metadata)


def _disconnected(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return _end_if_complete(_enter(state, State.POST_PROCESSING, "app_session_disconnected", at_ms), at_ms)


def _deadline_while_disconnecting(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """Whoever holds it does not come to an end; what it had written may still be stored."""
    if fact.reason != DISCONNECTING_DEADLINE:
        return state
    metadata = {"source": "deadline", "reason": "not disconnected in time"}
    state = _enter(state, State.POST_PROCESSING, "app_session_disconnected", at_ms, metadata=metadata)
    return _end_if_complete(state, at_ms)


def _end_if_complete(state: AppSession, at_ms: int) -> AppSession:
    if state.state != State.POST_PROCESSING or awaiting.awaited(state):
        return state
    settings = session_settings.readable(state.settings)
    if state.recording is None and settings.recording_format is not RecordingFormat.NONE:
        state = replace(state, recording_state=Progress.FAILED)
    elif state.connected_once:
        state = replace(state, recording_state=Progress.COMPLETE)
    return _enter(state, State.ENDED, "post_processing_completed", at_ms, metadata=conclusion.metadata(state))


def _deadline_while_connecting(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    if fact.reason == CONNECTING_DEADLINE and not state.connected_once:
        return _fail(state, "connection_timeout", "no connection to Zoom in time", at_ms)
    return _deadline_while_connected(state, fact, at_ms)


def _deadline_while_connected(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    if fact.reason != TOTAL_DEADLINE:
        return state
    return _disconnect(state, replace(fact, source="deadline", reason="global_runtime_timeout"), at_ms)


def _deadline_while_processing(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    if fact.reason != POST_PROCESSING_DEADLINE:
        return state
    for what in awaiting.awaited(state):  # among it, perhaps, what only a newer release knows
        state = awaiting.failed(state, what, awaiting.NOT_IN_TIME)
    return _end_if_complete(state, at_ms)


def _stored(what: Awaited) -> Transition:
    def transition(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
        state = awaiting.no_longer(state, what)
        if what is Awaited.RECORDING:
            state = recordings.stored(state, fact)
        if what is Awaited.COMPOSED:
            state = replace(state, composed=fact.stored)
        if what is Awaited.TRANSCRIPT:
            state = replace(state, transcription_state=Progress.COMPLETE)
        if what is Awaited.COPY:
            state = replace(state, external_copy=fact.stored)
        return _end_if_complete(state, at_ms)

    return transition


def _not_stored(what: Awaited) -> Transition:
    def transition(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
        if what not in awaiting.awaited(state) and not _is_late(what, state):
            return state
        state = recordings.with_tracks(state, fact)
        return _end_if_complete(awaiting.failed(state, what, fact.reason or "unknown"), at_ms)

    return transition


def _is_late(what: Awaited, state: AppSession) -> bool:
    """Whether somebody still makes what the session does not wait for any more."""
    made = {Awaited.COMPOSED: recordings.is_to_be_composed, Awaited.COPY: recordings.is_to_be_copied}
    return what in made and made[what](state)


def _hole(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return state if fact.hole is None else replace(state, holes=kept(state.holes, fact.hole))


def _metadata_replaced(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    return replace(state, metadata=fact.metadata)


def _pause(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """What comes late, because who states it was behind, is known and no longer told."""
    if fact.as_of_ms is None:
        return state
    is_pause = fact.kind is FactKind.PAUSED
    known = (pauses.paused if is_pause else pauses.resumed)(state.pauses, fact.as_of_ms)
    if known == state.pauses:
        return state
    state = replace(state, pauses=known)
    if state.state != State.CONNECTED:
        return state
    event, before, after = (
        ("recording_paused", Progress.IN_PROGRESS, Progress.PAUSED)
        if is_pause
        else ("recording_resumed", Progress.PAUSED, Progress.IN_PROGRESS)
    )
    if state.recording_state == before:
        state = replace(state, recording_state=after)
    return _enter(state, State.CONNECTED, event, at_ms, metadata={"timestamp_ms": fact.as_of_ms})


def _transcript_deleted(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """What was said so far; of a session that says nothing any more, all of it."""
    is_all = state.transcript_deletion is not None and state.transcript_deletion.until_ms is None
    if state.deletion is not None or is_all:
        return state
    until_ms = at_ms if state.state in LIVE else None
    asked = Deletion(reason=deletion.ASKED, asked_at_ms=at_ms, until_ms=until_ms)
    return async_transcriptions.abandoned(replace(state, transcript_deletion=asked), at_ms)


def _data_deleted(state: AppSession, fact: SessionFact, at_ms: int) -> AppSession:
    """Zoom's word that the consent was revoked counts at any time, a client's once the session is over, and that of a
    clock when the log's says so, too."""
    is_revoked = fact.reason == deletion.CONSENT_REVOKED
    if state.deletion is not None or not (is_revoked or state.state in DELETABLE):
        return state
    if fact.reason == deletion.RETENTION:
        due_ms = retention.due_ms(state)
        if due_ms is None or at_ms < due_ms:
            return state
    known = (deletion.CONSENT_REVOKED, deletion.RETENTION)
    reason = fact.reason if fact.reason in known else deletion.ASKED
    return replace(state, deletion=Deletion(reason=reason, asked_at_ms=at_ms))


def _without_data(state: AppSession, at_ms: int) -> AppSession:
    """What is deleted is awaited no longer, and nothing may lead to it; a session that is over can only be that."""
    if state.deletion is None or state.state == State.DATA_DELETED:
        return state
    reason = state.deletion.reason
    state = replace(awaiting.nothing(state), recording=None, composed=None, tracks=())
    state = _end_if_complete(state, at_ms)
    if state.state not in DELETABLE:
        return state
    state = async_transcriptions.abandoned(state, at_ms)
    return _enter(state, State.DATA_DELETED, "data_deleted", at_ms, metadata=_WHY.get(reason))


_WHY: Mapping[str, Mapping[str, object]] = {
    deletion.CONSENT_REVOKED: {"source": "zoom", "reason": deletion.CONSENT_REVOKED},
    deletion.RETENTION: {"source": "retention", "reason": deletion.RETENTION},
}


_ASKED: dict[FactKind, Transition] = {
    FactKind.METADATA_REPLACED: _metadata_replaced,
    FactKind.TRANSCRIPT_DELETED: _transcript_deleted,
}
"""What clients may ask of a session at any time."""

_DELETING: dict[FactKind, Transition] = {
    FactKind.DATA_DELETED: _data_deleted,
    FactKind.DATA_FOUND: deletion.erasing,
    FactKind.DATA_ERASED: deletion.erasing,
}

_ARCHIVING: dict[FactKind, Transition] = {FactKind.ARCHIVED: archiving.archived}

_COPIED = {FactKind.RECORDING_COPIED: _stored(Awaited.COPY)}  # begun before a deletion; its receipt says whose it is

_ALWAYS: dict[FactKind, Transition] = {
    **_ASKED,
    **_DELETING,
    FactKind.HOLE_FOUND: _hole,
    FactKind.MEDIUM_REFUSED: refusals.medium_refused,
    FactKind.PAUSED: _pause,
    FactKind.RESUMED: _pause,
    **{kind: _stored(what) for kind, what in STORED.items()},
    **{kind: _not_stored(what) for kind, what in NOT_STORED.items()},
}

TABLE: Mapping[State, Mapping[FactKind, Transition]] = {
    State.READY: {},
    State.CONNECTING: {
        **_ALWAYS,
        **stops.TRANSITIONS,
        FactKind.REQUESTED: _requested_again,
        FactKind.CONNECTED: _connected,
        FactKind.CONNECTION_FAILED: _connection_failed,
        FactKind.END_REQUESTED: _disconnect,
        FactKind.STREAM_OVER: _disconnect,
        FactKind.DEADLINE_PASSED: _deadline_while_connecting,
    },
    State.CONNECTED: {
        **_ALWAYS,
        **stops.TRANSITIONS,
        FactKind.REQUESTED: _requested_again,
        FactKind.END_REQUESTED: _disconnect,
        FactKind.STREAM_OVER: _disconnect,
        FactKind.DEADLINE_PASSED: _deadline_while_connected,
    },
    State.DISCONNECTING: {
        **_ALWAYS,
        FactKind.CONNECTED: _connected_too_late,
        FactKind.DISCONNECTED: _disconnected,
        FactKind.DEADLINE_PASSED: _deadline_while_disconnecting,
    },
    State.POST_PROCESSING: {**_ALWAYS, FactKind.DEADLINE_PASSED: _deadline_while_processing},
    State.ENDED: {**_ALWAYS, **_ARCHIVING, **async_transcriptions.TRANSITIONS},
    State.FATAL_ERROR: {**_ASKED, **_DELETING, **_ARCHIVING, FactKind.HOLE_FOUND: _hole},
    State.DATA_DELETED: {**_DELETING, **_ARCHIVING, **_COPIED, FactKind.METADATA_REPLACED: _metadata_replaced},
}
"""(state, fact) -> transition. `claimed` is not in it: its effect needs the fact's offset and is the same in all LIVE
states. A pair that is missing is ignored; so is `recalled` wherever a state is known."""
