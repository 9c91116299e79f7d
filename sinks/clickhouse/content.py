"""What of a session is content, in tables and on topics: what must be gone when its data is deleted. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from connectors.kafka.deletions import Deleted
from schemas import topics
from schemas.clickhouse import PARTICIPANT_EVENTS, UTTERANCES, WEBHOOK_DELIVERIES
from schemas.deletion import KEPT_TRIGGERS
from schemas.triggers import Trigger

TOPICS = (topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.WEBHOOK_DELIVERIES)
"""The compacted topics with content; others forget by themselves."""

_OF_SESSIONS = "session_id IN {sessions:Array(String)}"
_OF_PROJECTS = "project_id IN {projects:Array(String)}"
"""What the table of deliveries is sorted by."""

_KEPT = tuple(str(trigger) for trigger in KEPT_TRIGGERS)

_ALL: Mapping[str, str] = {
    UTTERANCES.name: _OF_SESSIONS,
    PARTICIPANT_EVENTS.name: _OF_SESSIONS,
    WEBHOOK_DELIVERIES.name: f"{_OF_PROJECTS} AND {_OF_SESSIONS} AND trigger NOT IN {_KEPT!r}",
}

_TOLD_MS = "JSONExtractInt(JSONExtractString(document, 'body'), 'data', 'timestamp_ms')"

_SAID: Mapping[str, str] = {
    UTTERANCES.name: f"{_OF_SESSIONS} AND start_ms <= {{until_ms:Int64}}",
    WEBHOOK_DELIVERIES.name: (
        f"{_OF_PROJECTS} AND {_OF_SESSIONS} AND trigger = '{Trigger.TRANSCRIPT}' AND {_TOLD_MS} <= {{until_ms:Int64}}"
    ),
}


class Statements(NamedTuple):
    """Of one table, the first two with parameters. `purge` has the disk forget what `delete` made invisible."""

    amounts: str
    delete: str
    purge: str


MASKED = """
SELECT DISTINCT table FROM system.parts
WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND active AND has_lightweight_delete
"""
"""The tables with rows that were made invisible and that the disk has not forgotten."""

TABLES = (UTTERANCES.name, PARTICIPANT_EVENTS.name, WEBHOOK_DELIVERIES.name)


def purge(table: str) -> str:
    """Has the disk forget what `DELETE` made invisible."""
    return f"ALTER TABLE {table} APPLY DELETED MASK"


def _statements(rows: Mapping[str, str]) -> tuple[Statements, ...]:
    return tuple(
        Statements(
            f"SELECT session_id, count() AS rows FROM {table} WHERE {content} GROUP BY session_id",  # noqa: S608
            f"DELETE FROM {table} WHERE {content}",  # noqa: S608
            purge(table),
        )
        for table, content in rows.items()
    )


_OF_ALL, _OF_WHAT_WAS_SAID = _statements(_ALL), _statements(_SAID)


def statements(deleted: Iterable[Deleted]) -> Iterator[tuple[Statements, dict[str, Any]]]:
    """What to ask and to do about these sessions' rows, table by table, and with which parameters."""
    found = set(deleted)
    if whole := [session for session in found if session.is_whole]:
        for table in _OF_ALL:
            yield table, _parameters(whole)
    for session in found:
        for table in () if session.is_whole else _OF_WHAT_WAS_SAID:
            yield table, _parameters([session]) | {"until_ms": session.said_until_ms}


def _parameters(deleted: Iterable[Deleted]) -> dict[str, Any]:
    found = list(deleted)
    return {
        "sessions": sorted(session.session_id for session in found),
        "projects": sorted({session.project_id for session in found}),
    }
