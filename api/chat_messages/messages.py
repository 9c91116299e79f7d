"""A session's chat: what to read, and how clients see it. Pure.

A message has a record for every change; it is what the newest says, at the time of the oldest. All of a session's are
looked through at once: they are few.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from typing_extensions import TypedDict

from api.pages import PAGE_SIZE, Cursor, Key
from api.times import queried_ms
from api.transcript_formats import Cue
from schemas import chat_messages, ids
from schemas.chat_messages import SEPARATOR
from schemas.participant_events import CHAT, CHAT_MESSAGE

_QUERY = """
WITH splitByChar({{separator:String}}, event_id) AS parts, toUInt64OrZero(parts[2]) AS number
SELECT
  parts[1] AS message_id,
  min(timestamp_ms) AS written_ms,
  max(created_at_ms) AS changed_ms,
  max(number) AS revision,
  argMax((event, participant_id, participant_name, details), number) AS newest,
  newest.2 AS sender_id,
  newest.3 AS sender_name,
  newest.4 AS told
FROM participant_events
WHERE session_id = {{session_id:String}} AND event IN {{events:Array(String)}}
GROUP BY message_id
HAVING newest.1 = {{present:String}} AND changed_ms > {{after_ms:Int64}}
  AND (written_ms, message_id) {comparison} ({{time_ms:Int64}}, {{message_id:String}})
ORDER BY written_ms {order}, message_id {order}
LIMIT {{read:UInt32}}
"""

_ALWAYS_MS = -1

Row = Mapping[str, Any]


class ChatMessageDocument(TypedDict):
    """Something written in the chat, as it is now. `to` is `everyone` or, for fewer than all, `only_bot`.

    `additional_data` holds the `revision` and, as far as they are known, Zoom's `message_id`, `chat_session`,
    `receiver` and `files`, the `parent_id` of a reply, and the `length` of a text of which only the beginning is kept.
    """

    id: str
    text: str
    timestamp_ms: int
    timestamp: int
    to: str
    sender_name: str | None
    sender_uuid: str
    sender_user_uuid: str | None
    additional_data: dict[str, Any]


class ChatMessagePage(TypedDict):
    """One page of messages, ascending in time."""

    next: str | None
    previous: str | None
    results: list[ChatMessageDocument]


def query(session_id: str, cursor: Cursor, updated_after: str | None) -> tuple[str, dict[str, Any]]:
    """The statement, and its parameters, for messages beyond `cursor`; one more than a page. Raises ApiError 400."""
    sql = _QUERY.format(comparison="<" if cursor.backwards else ">", order="DESC" if cursor.backwards else "ASC")
    return sql, {
        "session_id": session_id,
        "separator": SEPARATOR,
        "events": [*CHAT],
        "present": CHAT_MESSAGE,
        "time_ms": cursor.key.time_ms,
        "message_id": cursor.key.item_id,
        "after_ms": _ALWAYS_MS if updated_after is None else queried_ms("updated_after", updated_after),
        "read": PAGE_SIZE + 1,
    }


def within(session_id: str, from_ms: int, most: int) -> tuple[str, dict[str, Any]]:
    """The same for at most so many messages that were written at `from_ms` or later."""
    sql, parameters = query(session_id, Cursor(Key(from_ms, "")), None)
    return sql, parameters | {"read": most}


def cues(rows: Iterable[Row], until_ms: int, lasting_ms: int) -> list[Cue]:
    """Those written before `until_ms`, each as something that is to be read for a while."""
    return [_cue(row, lasting_ms) for row in rows if row["written_ms"] < until_ms]


def _cue(row: Row, lasting_ms: int) -> Cue:
    text, at_ms = chat_messages.readable(row["told"]).text, row["written_ms"]
    return Cue(at_ms, at_ms + lasting_ms, row["sender_name"], text)


def key_of(row: Row) -> Key:
    """Where a message stands in the list."""
    return Key(row["written_ms"], row["message_id"])


def documents(session_id: str, rows: Iterable[Row]) -> list[ChatMessageDocument]:
    """The rows of `query` as clients see them."""
    return [_document(session_id, row) for row in rows]


def _document(session_id: str, row: Row) -> ChatMessageDocument:
    details = chat_messages.readable(row["told"])
    return {
        "id": row["message_id"],
        "text": details.text,
        "timestamp_ms": row["written_ms"],
        "timestamp": row["written_ms"] // 1000,
        "to": details.to,
        "sender_name": row["sender_name"],
        "sender_uuid": ids.participant_uuid(session_id, row["sender_id"]),
        "sender_user_uuid": None,
        "additional_data": {**details.additional, "revision": row["revision"]},
    }
