"""Who took part in a session. Pure.

All of a session's participants are read at once: they are few, and their ids towards clients are derived, so that no
store could look for one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from typing_extensions import TypedDict

from api.pages import PAGE_SIZE, Cursor, Key, Page, page_of
from schemas import ids
from schemas.participant_events import PRESENCE

MOST = 100_000

QUERY = f"""
SELECT participant_id, argMax(participant_name, timestamp_ms) AS name, min(timestamp_ms) AS first_ms
FROM participant_events
WHERE session_id = {{session_id:String}} AND event IN {{events:Array(String)}}
GROUP BY participant_id
ORDER BY first_ms, participant_id
LIMIT {MOST}
"""  # noqa: S608  a number of ours

Row = Mapping[str, Any]


def parameters(session_id: str) -> dict[str, Any]:
    """The parameters of `QUERY`: whoever came or went took part."""
    return {"session_id": session_id, "events": [*PRESENCE]}


class ParticipantDocument(TypedDict):
    """Somebody who took part. `user_uuid` is always null and `is_host` always false: Zoom does not say."""

    id: str
    name: str | None
    uuid: str
    user_uuid: str | None
    is_host: bool


class ParticipantPage(TypedDict):
    """One page of participants, ascending by when they were first there."""

    next: str | None
    previous: str | None
    results: list[ParticipantDocument]


def page(
    session_id: str, rows: Iterable[Row], wanted: str | None, hosts: bool | None, cursor: Cursor
) -> Page[ParticipantDocument]:
    """The page after `cursor`; only who has the id `wanted`, only hosts or only others."""
    standing = {key_of(document := _document(session_id, row), row): document for row in rows}
    keys = {document["id"]: key for key, document in standing.items()}
    matching = [
        document
        for key, document in sorted(standing.items(), reverse=cursor.backwards)
        if cursor.passes(key) and wanted in (None, document["id"]) and hosts in (None, document["is_host"])
    ]
    return page_of(matching[: PAGE_SIZE + 1], cursor, lambda document: keys[document["id"]])


def key_of(document: ParticipantDocument, row: Row) -> Key:
    """Where a participant stands in the list."""
    return Key(row["first_ms"], document["id"])


def _document(session_id: str, row: Row) -> ParticipantDocument:
    participant = ids.participant_uuid(session_id, row["participant_id"])
    return {"id": participant, "name": row["name"], "uuid": participant, "user_uuid": None, "is_host": False}
