"""What may be done to a session besides ending it: other metadata, a transcript or everything deleted.

A deletion is stated first, so that from then on no answer shows what is deleted, whatever a store still holds or a sink
writes again; then the stores are emptied. Where that did not work, asking again goes on with it.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from api.app_sessions.commands import SOURCE, stated
from api.app_sessions.metadata import SCHEMA as METADATA_SCHEMA
from api.app_sessions.metadata import metadata
from api.errors import refused, unavailable
from api.services import Services
from api.shapes import fields_of
from connectors.clickhouse.errors import ClickHouseError
from connectors.host.logs import get_logger
from connectors.objects.errors import ObjectsError
from schemas.keys import objects_folder
from schemas.records import AppSession, FactKind, SessionFact
from schemas.sessions import DELETABLE, State

log = get_logger(__name__)

PATCH_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"metadata": METADATA_SCHEMA},
    "additionalProperties": False,
}

_DELETIONS: Mapping[str, str] = {
    "utterances": "DELETE FROM utterances WHERE session_id = {session_id:String} AND updated_at_ms <= {until_ms:Int64}",
    "participant_events": "DELETE FROM participant_events WHERE session_id = {session_id:String}",
    "webhook_deliveries": (
        "DELETE FROM webhook_deliveries WHERE session_id = {session_id:String} AND trigger != 'bot.state_change'"
    ),
}


async def patch(services: Services, session: AppSession, body: Any) -> AppSession:
    """Replace what a PATCH body names. Raises ApiError 400 and 503."""
    fields = fields_of(body, {"metadata": metadata}, required=())
    if "metadata" not in fields:
        return session
    return await _state(services, session, FactKind.METADATA_REPLACED, metadata=fields["metadata"])


async def delete_transcript(services: Services, session: AppSession) -> None:
    """Delete what was said so far. Raises ApiError 503."""
    state = await _state(services, session, FactKind.TRANSCRIPT_DELETED)
    await _delete_rows(services, state, "utterances")


async def delete_data(services: Services, session: AppSession) -> AppSession:
    """Delete what was recorded, said and done in a session that is over; its state and metadata stay.

    Raises:
        ApiError: 400 while it is not over, 503.
    """
    if session.state not in DELETABLE and session.state != State.DATA_DELETED:
        raise refused(
            f"Data of a session in state {session.state} cannot be deleted. End it, wait for {State.ENDED}, ask again."
        )
    state = await _state(services, session, FactKind.DATA_DELETED)
    await _delete_rows(services, state, *_DELETIONS)
    await asyncio.to_thread(_delete_objects, services, session.session_id)
    return state


async def _state(services: Services, session: AppSession, kind: FactKind, **fields: Any) -> AppSession:
    fact = SessionFact(session_id=session.session_id, kind=kind, project_id=session.project_id, source=SOURCE, **fields)
    return await stated(services, fact)


async def _delete_rows(services: Services, session: AppSession, *tables: str) -> None:
    parameters = {"session_id": session.session_id, "until_ms": session.transcript_deleted_at_ms or 0}
    try:
        for table in tables:
            await asyncio.to_thread(services.clickhouse.command, _DELETIONS[table], parameters)
    except ClickHouseError as error:
        raise _unfinished("clickhouse", error) from None


def _delete_objects(services: Services, session_id: str) -> None:
    try:
        for stored in services.objects.list(objects_folder(session_id)):
            services.objects.delete(stored.key)
    except ObjectsError as error:
        raise _unfinished("objects", error) from None


def _unfinished(where: str, error: Exception) -> Exception:
    log.warning("deletion unfinished", at=where, error=type(error).__name__)
    return unavailable("It is shown to nobody any more, but not yet deleted everywhere. Ask again.")
