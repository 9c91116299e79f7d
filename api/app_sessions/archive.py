"""Sessions that ClickHouse alone has: over, and untouched for longer than any topic keeps anything of them.

Nobody who asks learns where a session is. Whoever changes one brings it back to the log first.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from api.services import Services
from connectors.clickhouse.errors import ClickHouseError
from connectors.host.logs import get_logger
from schemas import archiving
from schemas.records import AppSession, FactKind, SessionFact
from schemas.session_states import TERMINAL

log = get_logger(__name__)

LOOK_S = 0.3

# Threads of their own: those that look at a ClickHouse that hangs are not there for anything else meanwhile.
_glimpses = ThreadPoolExecutor(2, thread_name_prefix="glimpses")

# The newest version of each without FINAL, which would read all of a project.
_QUERY = """
SELECT document FROM app_sessions
WHERE session_id IN {{session_ids:Array(String)}} {of_project}
ORDER BY _offset DESC LIMIT 1 BY session_id
SETTINGS final = 0
"""
_OF_PROJECT = "AND project_id = {project_id:String}"


async def archived(services: Services, project_id: str, session_id: str) -> AppSession | None:
    """A session of the project that is over, as ClickHouse has it: one that is not was never archived, and is on its
    way to this replica. Raises ApiError 503."""
    found = (await _read(services, [session_id], project_id)).get(session_id)
    return found if found is not None and found.state in TERMINAL else None


async def linked(services: Services, session_id: str) -> AppSession | None:
    """A session of whatever project, live or archived, for those who hold a link to it. Raises ApiError 503."""
    return services.sessions.find(session_id) or (await _read(services, [session_id])).get(session_id)


async def several(services: Services, project_id: str, session_ids: Collection[str]) -> dict[str, AppSession]:
    """Those of these sessions that are the project's, live or archived, by id. Raises ApiError 503."""
    live = {name: found for name in session_ids if (found := services.sessions.get(project_id, name)) is not None}
    others = sorted(set(session_ids) - live.keys())
    return live | await _read(services, others, project_id) if others else live


async def glimpsed(services: Services, project_id: str, session_id: str) -> AppSession | None:
    """`archived` for those who have to go on without ClickHouse: None also if it does not answer soon."""
    look = partial(services.clickhouse.query, *_statement([session_id], project_id), patience_s=0)
    try:
        async with asyncio.timeout(LOOK_S):
            rows = await asyncio.get_running_loop().run_in_executor(_glimpses, look)
    except (ClickHouseError, TimeoutError):
        return None
    return _legible(rows).get(session_id)


async def bring_back(services: Services, session: AppSession) -> None:
    """Let the log know the session again, should it not. Raises ApiError 503.

    Nobody can look first whether it does: it may be archived at this moment. Where it is known nothing comes of it.
    """
    if session.state not in TERMINAL:
        return
    fact = SessionFact(
        session_id=session.session_id,
        kind=FactKind.RECALLED,
        project_id=session.project_id,
        source="api",
        document=archiving.as_document(session),
    )
    await services.journal.state(fact)


async def _read(
    services: Services, session_ids: Collection[str], project_id: str | None = None
) -> dict[str, AppSession]:
    return _legible(await services.select(*_statement(session_ids, project_id)))


def _legible(rows: Iterable[Mapping[str, Any]]) -> dict[str, AppSession]:
    """The sessions in these rows; what is none is as good as not there."""
    found: dict[str, AppSession] = {}
    for row in rows:
        try:
            session = archiving.from_document(row["document"])
        except ValueError:
            log.error("a document that is no session")
        else:
            found[session.session_id] = session
    return found


def _statement(session_ids: Collection[str], project_id: str | None) -> tuple[str, Mapping[str, object]]:
    sql = _QUERY.format(of_project="" if project_id is None else _OF_PROJECT)
    return sql, {"session_ids": list(session_ids), "project_id": project_id or ""}
