"""What may be done to a session besides ending it: other metadata, a transcript or everything deleted.

A deletion is stated, and from then on no answer shows what is deleted, whatever a store still holds. It is erased by
the sinks, who wrote it and go on until it is gone; the answer waits a moment for them.
"""

from collections.abc import Callable
from typing import Any

from api.app_sessions.archive import bring_back
from api.app_sessions.commands import SOURCE, as_of_now, stated
from api.app_sessions.metadata import SCHEMA as METADATA_SCHEMA
from api.app_sessions.metadata import metadata
from api.errors import refused
from api.services import Services
from api.shapes import fields_of
from schemas.deletion import OF_TRANSCRIPT, missing
from schemas.records import AppSession, FactKind, SessionFact
from schemas.sessions import DELETABLE, State

PATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"metadata": METADATA_SCHEMA},
    "additionalProperties": False,
}


async def patch(services: Services, session: AppSession, body: Any) -> AppSession:
    """Replace what a PATCH body names. Raises ApiError 400 and 503."""
    fields = fields_of(body, {"metadata": metadata}, required=())
    if "metadata" not in fields:
        return session
    return await _state(services, session, FactKind.METADATA_REPLACED, metadata=fields["metadata"])


async def delete_transcript(services: Services, session: AppSession) -> None:
    """Delete what was said so far; whether it is gone everywhere by now, its receipt says. Raises ApiError 503."""
    state = await _state(services, session, FactKind.TRANSCRIPT_DELETED)
    await _awaited(services, state, _is_transcript_left)


async def delete_data(services: Services, session: AppSession) -> AppSession:
    """Delete what was recorded, said and done in a session that is over; its state and metadata stay.

    Whether it is gone everywhere by the answer, its receipt says. Raises ApiError 400 while it is not over, and 503.
    """
    if not _may_be_deleted(session):
        session = await as_of_now(services, session)
    if not _may_be_deleted(session):
        raise refused(
            f"Data of a session in state {session.state} cannot be deleted. End it, wait for {State.ENDED}, ask again."
        )
    state = await _state(services, session, FactKind.DATA_DELETED)
    return await _awaited(services, state, _is_data_left)


def _may_be_deleted(session: AppSession) -> bool:
    return session.state in DELETABLE or session.deletion is not None


def _is_data_left(state: AppSession) -> bool:
    return state.deletion is not None and bool(missing(state.deletion))


def _is_transcript_left(state: AppSession) -> bool:
    asked = state.transcript_deletion
    return state.deletion is None and asked is not None and bool(missing(asked, OF_TRANSCRIPT))


async def _awaited(services: Services, state: AppSession, is_left: Callable[[AppSession], bool]) -> AppSession:
    """The session when nothing is left, or when that takes too long to wait for."""
    until_s = services.clock.monotonic() + services.settings.deletion_patience_s
    while is_left(state):
        left_s = until_s - services.clock.monotonic()
        further = await services.sessions.folded(state.session_id, state.folded_offset + 1, left_s)
        if further is None:
            break
        state = further
    return state


async def _state(services: Services, session: AppSession, kind: FactKind, **fields: Any) -> AppSession:
    await bring_back(services, session)
    fact = SessionFact(session_id=session.session_id, kind=kind, project_id=session.project_id, source=SOURCE, **fields)
    return await stated(services, fact)
