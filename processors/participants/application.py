"""Writes what participants do as `participant-events`, and pauses as facts of their session."""

import json
from collections.abc import Sequence

from processors.participants.chat import Message
from processors.participants.logic import Closing, ParticipantsLogic
from processors.participants.roster import Change, Pausing
from processors.shell.applications import Output
from schemas.ids import PARTICIPANT_EVENT_PREFIX, derived, record_id
from schemas.participant_events import SPEECH
from schemas.records import FactKind, OutputKind, ParticipantEvent, SessionFact
from schemas.sessions import Awaited
from schemas.topics import EVENTS, PARTICIPANT_EVENTS, PARTICIPANTS_STATE, SESSION_FACTS

END_ITEM = "end"


class ParticipantsApplication:
    """See `shell.applications.Application`."""

    name = "participants"
    state_topic = PARTICIPANTS_STATE
    result = Awaited.EVENTS
    max_in_flight = 64
    partials = None

    def __init__(self) -> None:
        self.logic = ParticipantsLogic()

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        return

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        if isinstance(work, Pausing):
            return [Output(SESSION_FACTS, "", pausing(session_id, work))]
        record = participant_event(session_id, work)
        return [Output(PARTICIPANT_EVENTS, record.event_id or END_ITEM, record)]


def pausing(session_id: str, work: Pausing) -> SessionFact:
    """The fact that the stream was paused, or goes on."""
    kind = FactKind.PAUSED if work.is_paused else FactKind.RESUMED
    return SessionFact(session_id=session_id, kind=kind, source=ParticipantsApplication.name, as_of_ms=work.at_ms)


def participant_event(session_id: str, work: object) -> ParticipantEvent:
    """The record of a work of `ParticipantsLogic`."""
    match work:
        case Change():
            return ParticipantEvent(
                session_id=session_id,
                kind=OutputKind.ITEM,
                event_id=_event_id(session_id, work),
                event=work.event,
                participant_id=work.participant_id,
                participant_name=work.participant_name,
                timestamp_ms=work.timestamp_ms,
                details=json.dumps({"reason": work.reason}) if work.reason else work.details,
            )
        case Message():
            return ParticipantEvent(
                session_id=session_id,
                kind=OutputKind.ITEM,
                event_id=work.event_id,
                event=work.event,
                participant_id=work.participant_id,
                participant_name=work.participant_name,
                timestamp_ms=work.timestamp_ms,
                details=work.details,
            )
        case Closing():
            return ParticipantEvent(session_id=session_id, kind=OutputKind.END, count=work.count)
        case _:
            raise TypeError(f"not a work of participants: {type(work).__name__}")


def _event_id(session_id: str, change: Change) -> str:
    parts = session_id, EVENTS.name, change.epoch, change.sequence, change.participant_id
    if change.event in SPEECH:
        return derived(PARTICIPANT_EVENT_PREFIX, *parts, change.event)
    if change.reason:
        return derived(PARTICIPANT_EVENT_PREFIX, *parts)
    return record_id(PARTICIPANT_EVENT_PREFIX, session_id, EVENTS.name, change.epoch, change.sequence)
