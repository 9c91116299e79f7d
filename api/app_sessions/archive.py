"""Sessions that ClickHouse alone has: over, and untouched for longer than any topic keeps anything of them.

Nobody who asks learns where a session is. Whoever changes one brings it back to the log first.
"""

import asyncio
from collections.abc import Collection, Mapping

from api.services import Services
from connectors.clickhouse.errors import ClickHouseError
from schemas import archiving
from schemas.records import AppSession, FactKind, SessionFact

LOOK_S = 0.3

# The newest version of each without FINAL, which would read all of a project.
_QUERY = """
SELECT document FROM app_sessions
WHERE session_id IN {{session_ids:Array(String)}} {of_project}
ORDER BY _offset DESC LIMIT 1 BY session_id
SETTINGS final = 0
"""
_OF_PROJECT = "AND project_id = {project_id:String}"


async def archived(services: Services, project_id: str, session_id: str) -> AppSession | None:
    """A session of the project, as ClickHouse has it. Raises ApiError 503."""
    return (await _read(services, [session_id], project_id)).get(session_id)


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
    try:
        async with asyncio.timeout(LOOK_S):
            rows = await services.clickhouse.query_async(*_statement([session_id], project_id), patience_s=0)
    except (ClickHouseError, TimeoutError):
        return None
    return next((archiving.from_document(row["document"]) for row in rows), None)


async def bring_back(services: Services, session: AppSession) -> None:
    """Let the log know the session again, if it does not. Raises ApiError 503."""
    if services.sessions.get(session.project_id, session.session_id) is not None:
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
    rows = await services.select(*_statement(session_ids, project_id))
    sessions = [archiving.from_document(row["document"]) for row in rows]
    return {session.session_id: session for session in sessions}


def _statement(session_ids: Collection[str], project_id: str | None) -> tuple[str, Mapping[str, object]]:
    sql = _QUERY.format(of_project="" if project_id is None else _OF_PROJECT)
    return sql, {"session_ids": list(session_ids), "project_id": project_id or ""}
