"""Takes away the words of messages that were deleted in the meeting: of their rows, and of their records.

Of each message there is a row for every state; once one of them says that it was deleted, the others lose what they
said. They are looked for after every write in which a session's chat has anything new, so it does not matter which of
the two was written last, by whom, and how often: whoever writes the later one finds both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from connectors.clickhouse.client import ClickHouse
from schemas import chat_messages, topics
from schemas.chat_messages import DELETED, SEPARATOR
from schemas.clickhouse import PARTICIPANT_EVENTS
from schemas.participant_events import CHAT, CHAT_MESSAGE, CHAT_MESSAGE_DELETED
from schemas.records import OutputKind, ParticipantEvent, Record
from sinks.clickhouse.emptied import Emptied
from sinks.clickhouse.rows import Position, row_of

_MESSAGE = "(session_id, splitByChar({separator:String}, event_id)[1])"
_IS_EMPTIED = f"JSONExtractBool(details, 'additional', '{DELETED}')"
_LEFT = f"""
SELECT * FROM {PARTICIPANT_EVENTS.name}
WHERE session_id IN {{sessions:Array(String)}} AND event = {{message:String}} AND NOT {_IS_EMPTIED}
  AND {_MESSAGE} IN (
    SELECT {_MESSAGE} FROM {PARTICIPANT_EVENTS.name}
    WHERE session_id IN {{sessions:Array(String)}} AND event = {{deleted:String}}
  )
"""  # noqa: S608  names of ours
_DELETE = f"""
DELETE FROM {PARTICIPANT_EVENTS.name}
WHERE session_id IN {{sessions:Array(String)}} AND event_id IN {{events:Array(String)}} AND NOT {_IS_EMPTIED}
"""  # noqa: S608
_PURGE = f"ALTER TABLE {PARTICIPANT_EVENTS.name} APPLY DELETED MASK"


class ChatWords:
    """The rows of the chat; see `Words`."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    def left(self, content: Iterable[Record], patience_s: float | None = None) -> list[Emptied[ParticipantEvent]]:
        sessions = {
            value.session_id for value in content if isinstance(value, ParticipantEvent) and value.event in CHAT
        }
        if not sessions:
            return []
        parameters = {
            "sessions": sorted(sessions),
            "message": CHAT_MESSAGE,
            "deleted": CHAT_MESSAGE_DELETED,
            "separator": SEPARATOR,
        }
        return [_emptied(row) for row in self._clickhouse.query(_LEFT, parameters, patience_s)]

    def replace(self, emptied: Sequence[Emptied[ParticipantEvent]], patience_s: float | None = None) -> None:
        rows = [row_of(one.value, one.at)[1] for one in emptied]
        self._clickhouse.insert(PARTICIPANT_EVENTS, rows, patience_s)
        parameters = {
            "sessions": sorted({one.value.session_id for one in emptied}),
            "events": sorted({one.value.event_id for one in emptied}),
        }
        self._clickhouse.command(_DELETE, parameters, patience_s)
        self._clickhouse.command(_PURGE, patience_s=patience_s)


def _emptied(row: dict[str, Any]) -> Emptied[ParticipantEvent]:
    names = ("session_id", "event_id", "event", "participant_id", "participant_name", "timestamp_ms", "details")
    event = ParticipantEvent(kind=OutputKind.ITEM, **{name: row[name] for name in names})
    left = chat_messages.emptied(chat_messages.readable(event.details).to)
    at = Position(int(row["_partition"]), int(row["_offset"]), int(row["created_at_ms"]))
    return Emptied(topics.PARTICIPANT_EVENTS, event.event_id, replace(event, details=chat_messages.dumps(left)), at)
