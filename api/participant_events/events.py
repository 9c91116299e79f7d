"""A session's participant events: what to read, and how clients see it. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from typing_extensions import TypedDict

from api.pages import PAGE_SIZE, Cursor, Key
from api.times import queried_ms
from schemas import embedded_json, ids
from schemas.participant_events import PRESENCE, SPEECH

_QUERY = """
SELECT event_id, event, participant_id, participant_name, timestamp_ms, details
FROM participant_events
WHERE session_id = {{session_id:String}} AND event IN {{events:Array(String)}}
  AND (timestamp_ms, event_id) {comparison} ({{time_ms:Int64}}, {{event_id:String}})
  AND created_at_ms > {{after_ms:Int64}} AND created_at_ms < {{before_ms:Int64}}
ORDER BY timestamp_ms {order}, event_id {order}
LIMIT {{read:UInt32}}
"""

_NEVER_MS, _ALWAYS_MS = 2**63 - 1, -1

Row = Mapping[str, Any]


class ParticipantEventDocument(TypedDict):
    """Somebody came (`join`) or went (`leave`), began to speak (`speech_start`) or stopped (`speech_stop`).

    Who speaks is told in sessions that ask for it, by Zoom's active speaker: one at a time, and until the next.
    """

    id: str
    participant_name: str | None
    participant_uuid: str
    participant_user_uuid: str | None
    participant_is_host: bool
    event_type: str
    event_data: dict[str, Any]
    timestamp_ms: int


class ParticipantEventPage(TypedDict):
    """One page of events, ascending in time."""

    next: str | None
    previous: str | None
    results: list[ParticipantEventDocument]


def query(session_id: str, cursor: Cursor, after: str | None, before: str | None) -> tuple[str, dict[str, Any]]:
    """The statement, and its parameters, for the events beyond `cursor`; one more than a page. Raises ApiError 400."""
    sql = _QUERY.format(comparison="<" if cursor.backwards else ">", order="DESC" if cursor.backwards else "ASC")
    return sql, {
        "session_id": session_id,
        "events": [*PRESENCE, *SPEECH],
        "time_ms": cursor.key.time_ms,
        "event_id": cursor.key.item_id,
        "after_ms": _ALWAYS_MS if after is None else queried_ms("after", after),
        "before_ms": _NEVER_MS if before is None else queried_ms("before", before),
        "read": PAGE_SIZE + 1,
    }


def key_of(row: Row) -> Key:
    """Where an event stands in the list."""
    return Key(row["timestamp_ms"], row["event_id"])


def documents(session_id: str, rows: Iterable[Row]) -> list[ParticipantEventDocument]:
    """The rows of `query` as clients see them."""
    return [
        {
            "id": row["event_id"],
            "participant_name": row["participant_name"],
            "participant_uuid": ids.participant_uuid(session_id, row["participant_id"]),
            "participant_user_uuid": None,
            "participant_is_host": False,
            "event_type": row["event"],
            "event_data": _details(row["details"]),
            "timestamp_ms": row["timestamp_ms"],
        }
        for row in rows
    ]


def _details(text: str) -> dict[str, Any]:
    details = embedded_json.read(text)
    return details if isinstance(details, dict) else {}
