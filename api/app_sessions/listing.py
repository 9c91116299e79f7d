"""Lists of app sessions: ClickHouse has them all, the live view has the newest states; the view wins.

Pure but for the `fetch` it is handed. A row of ClickHouse may be old or missing (its sink runs behind or stands still),
a session of the view may be too new for ClickHouse; put together, no session is skipped, repeated or stale.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.errors import refused
from api.pages import PAGE_SIZE, Cursor, Key, Page, page_of
from schemas import archiving
from schemas.records import AppSession
from schemas.sessions import State

STATES = frozenset(State) - {State.READY}

BOT_STATES = frozenset(
    {
        "joining", "joined_not_recording", "joined_recording", "joined_recording_paused",
        "joined_recording_permission_denied", "waiting_room", "leaving", "joining_breakout_room",
        "leaving_breakout_room", "scheduled", "staged",
    }
)  # fmt: skip
"""What only bots can be in: fine to ask for, and never found."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions are wanted; no states means all, and so does no key, or the empty one that none can have."""

    states: frozenset[str] = frozenset()
    deduplication_key: str | None = None

    def passes(self, session: AppSession) -> bool:
        """Whether a session is wanted."""
        return (not self.states or session.state in self.states) and (
            not self.deduplication_key or self.deduplication_key == session.deduplication_key
        )


Fetch = Callable[[Cursor], Awaitable[Sequence[AppSession]]]
"""Up to `READ` sessions after a cursor, in its direction."""

READ = PAGE_SIZE + 1

_QUERY = """
SELECT document FROM app_sessions
WHERE project_id = {{project_id:String}}
  AND (created_at_ms, session_id) {comparison} ({{time_ms:Int64}}, {{session_id:String}})
  {states}
  {key}
ORDER BY created_at_ms {order}, session_id {order}
LIMIT {{read:UInt32}}
"""
_WITH_KEY = "AND JSONExtractString(document, 'deduplication_key') = {key:String}"


def key_of(session: AppSession) -> Key:
    """Where a session stands in lists."""
    return Key(session.created_at_ms, session.session_id)


def query(project_id: str, wanted: Filter, cursor: Cursor) -> tuple[str, Mapping[str, Any]]:
    """The statement, and its parameters, for wanted sessions after `cursor`."""
    sql = _QUERY.format(
        comparison="<" if cursor.backwards else ">",
        order="DESC" if cursor.backwards else "ASC",
        states="AND state IN {states:Array(String)}" if wanted.states else "",
        key=_WITH_KEY if wanted.deduplication_key else "",
    )
    return sql, {
        "project_id": project_id,
        "time_ms": cursor.key.time_ms,
        "session_id": cursor.key.item_id,
        "states": sorted(wanted.states),
        "key": wanted.deduplication_key or "",
        "read": READ,
    }


def session_of(row: Mapping[str, Any]) -> AppSession:
    """The session in a row of ClickHouse."""
    return archiving.from_document(row["document"])


def wanted_states(given: Collection[str]) -> frozenset[str]:
    """The `states` parameters of a request, several or separated by commas. Raises ApiError 400."""
    states = frozenset(state.strip() for entry in given for state in entry.split(",") if state.strip())
    if unknown := sorted(states - STATES - BOT_STATES):
        raise refused(f"Unknown state {unknown[0][:50]!r}. States are: {', '.join(sorted(STATES))}")
    return states


async def listed(live: Collection[AppSession], wanted: Filter, cursor: Cursor, fetch: Fetch) -> Page[AppSession]:
    """The page after `cursor`."""
    known = {session.session_id for session in live}
    matching = [session for session in live if cursor.passes(key_of(session)) and wanted.passes(session)]
    stored: list[AppSession] = []
    reach: Cursor | None = cursor
    while reach is not None:
        rows = await fetch(reach)
        stored += [session for session in rows if session.session_id not in known]
        reach = Cursor(key_of(rows[-1]), cursor.backwards) if len(rows) == READ else None
        merged = sorted([*matching, *stored], key=key_of, reverse=cursor.backwards)
        certain = [session for session in merged if reach is None or not reach.passes(key_of(session))]
        if len(certain) >= READ:
            return page_of(certain[:READ], cursor, key_of)
    return page_of(certain, cursor, key_of)
