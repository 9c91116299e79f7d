"""What may be done to a session besides ending it: other metadata, a transcript or everything deleted.

A deletion is stated, and from then on no answer shows what is deleted, whatever a store still holds. All data is erased
by the sinks, who wrote it and go on until it is gone; the answer waits a moment for them. A transcript alone is deleted
here; where that did not work, asking again goes on with it.
"""

import asyncio
from typing import Any

from api.app_sessions.commands import SOURCE, stated
from api.app_sessions.metadata import SCHEMA as METADATA_SCHEMA
from api.app_sessions.metadata import metadata
from api.errors import refused, unavailable
from api.services import Services
from api.shapes import fields_of
from connectors.clickhouse.errors import ClickHouseError
from connectors.host.logs import get_logger
from schemas.deletion import missing
from schemas.records import AppSession, FactKind, SessionFact
from schemas.sessions import DELETABLE, State

log = get_logger(__name__)

PATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"metadata": METADATA_SCHEMA},
    "additionalProperties": False,
}

_TRANSCRIPT = "DELETE FROM utterances WHERE session_id = {session_id:String} AND updated_at_ms <= {until_ms:Int64}"


async def patch(services: Services, session: AppSession, body: Any) -> AppSession:
    """Replace what a PATCH body names. Raises ApiError 400 and 503."""
    fields = fields_of(body, {"metadata": metadata}, required=())
    if "metadata" not in fields:
        return session
    return await _state(services, session, FactKind.METADATA_REPLACED, metadata=fields["metadata"])


async def delete_transcript(services: Services, session: AppSession) -> None:
    """Delete what was said so far. Raises ApiError 503."""
    state = await _state(services, session, FactKind.TRANSCRIPT_DELETED)
    parameters = {"session_id": session.session_id, "until_ms": state.transcript_deleted_at_ms or 0}
    try:
        await asyncio.to_thread(services.clickhouse.command, _TRANSCRIPT, parameters)
    except ClickHouseError as error:
        log.warning("deletion unfinished", at="clickhouse", error=type(error).__name__)
        raise unavailable("It is shown to nobody any more, but not yet deleted everywhere. Ask again.") from None


async def delete_data(services: Services, session: AppSession) -> AppSession:
    """Delete what was recorded, said and done in a session that is over; its state and metadata stay.

    Whether it is gone everywhere by the answer, its receipt says. Raises ApiError 400 while it is not over, and 503.
    """
    if session.state not in DELETABLE and session.deletion is None:
        raise refused(
            f"Data of a session in state {session.state} cannot be deleted. End it, wait for {State.ENDED}, ask again."
        )
    state = await _state(services, session, FactKind.DATA_DELETED)
    until_s = services.clock.monotonic() + services.settings.deletion_patience_s
    while state.deletion is not None and missing(state.deletion):
        left_s = until_s - services.clock.monotonic()
        further = await services.sessions.folded(state.session_id, state.folded_offset + 1, left_s)
        if further is None:
            break
        state = further
    return state


async def _state(services: Services, session: AppSession, kind: FactKind, **fields: Any) -> AppSession:
    fact = SessionFact(session_id=session.session_id, kind=kind, project_id=session.project_id, source=SOURCE, **fields)
    return await stated(services, fact)
