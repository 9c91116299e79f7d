"""What of a session is content, in tables and on topics: what must be gone when its data is deleted. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from connectors.kafka.deletions import Deleted
from schemas import topics
from schemas.clickhouse import PARTICIPANT_EVENTS, UTTERANCES, WEBHOOK_DELIVERIES
from schemas.triggers import Trigger

TOPICS = (topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.WEBHOOK_DELIVERIES)
"""The compacted topics with content; others forget by themselves."""

_OF_SESSIONS = "session_id IN {sessions:Array(String)}"

_ROWS: Mapping[str, str] = {
    UTTERANCES.name: _OF_SESSIONS,
    PARTICIPANT_EVENTS.name: _OF_SESSIONS,
    # The project is what this table is sorted by.
    WEBHOOK_DELIVERIES.name: (
        f"project_id IN {{projects:Array(String)}} AND {_OF_SESSIONS} AND trigger != '{Trigger.STATE_CHANGE}'"
    ),
}


class Statements(NamedTuple):
    """Of one table, the first two with `parameters`. `purge` has the disk forget what `delete` made invisible."""

    amounts: str
    delete: str
    purge: str


STATEMENTS = tuple(
    Statements(
        f"SELECT session_id, count() AS rows FROM {table} WHERE {content} GROUP BY session_id",  # noqa: S608
        f"DELETE FROM {table} WHERE {content}",  # noqa: S608
        f"ALTER TABLE {table} APPLY DELETED MASK",
    )
    for table, content in _ROWS.items()
)


def parameters(deleted: Iterable[Deleted]) -> dict[str, Any]:
    """The parameters of `STATEMENTS` for these sessions."""
    found = sorted(set(deleted))
    return {
        "sessions": [session.session_id for session in found],
        "projects": sorted({session.project_id for session in found}),
    }
