"""Takes away what receivers were told of chat messages that were deleted in the meeting: of deliveries that are over.

The words of a message stand in every delivery that told of it, too. One that is still tried keeps them, for its body is
what is sent; whoever finishes it writes it again, and it is found then. As for the messages themselves (`chat_words`),
it does not matter whether the deletion or the delivery was written last.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from connectors.clickhouse.client import ClickHouse
from schemas import topics
from schemas.chat_messages import DELETED, SEPARATOR
from schemas.clickhouse import PARTICIPANT_EVENTS, WEBHOOK_DELIVERIES
from schemas.deletion import NO_BODY, emptied
from schemas.participant_events import CHAT_MESSAGE_DELETED
from schemas.records import DeliveryStatus, ParticipantEvent, Record, WebhookDelivery
from schemas.triggers import Trigger
from sinks.clickhouse.emptied import Emptied
from sinks.clickhouse.rows import Position, row_of

_BODY = "JSONExtractString(document, 'body')"
_SAYS = f"""
trigger = '{Trigger.CHAT}' AND status != '{DeliveryStatus.PENDING}' AND {_BODY} != '{NO_BODY}'
  AND NOT JSONExtractBool({_BODY}, 'data', 'additional_data', '{DELETED}')
"""
_LEFT = f"""
SELECT document, _partition, _offset FROM {WEBHOOK_DELIVERIES.name}
WHERE session_id IN {{sessions:Array(String)}} AND {_SAYS}
  AND (session_id, JSONExtractString({_BODY}, 'data', 'id')) IN (
    SELECT session_id, splitByChar({{separator:String}}, event_id)[1] FROM {PARTICIPANT_EVENTS.name}
    WHERE session_id IN {{sessions:Array(String)}} AND event = {{deleted:String}}
  )
"""  # noqa: S608  names of ours
_OF_PROJECTS = "AND project_id IN {projects:Array(String)}"
"""What the table is sorted by."""

_DELETE = f"""
DELETE FROM {WEBHOOK_DELIVERIES.name}
WHERE project_id IN {{projects:Array(String)}} AND delivery_id IN {{deliveries:Array(String)}} AND {_SAYS}
"""  # noqa: S608
_PURGE = f"ALTER TABLE {WEBHOOK_DELIVERIES.name} APPLY DELETED MASK"


class ToldWords:
    """The rows of the deliveries; see `Words`."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    def left(self, content: Iterable[Record], patience_s: float | None = None) -> list[Emptied[WebhookDelivery]]:
        news = list(content)
        deleting = {value.session_id for value in news if isinstance(value, ParticipantEvent) if _deletes(value)}
        told = {
            value.session_id: value.project_id for value in news if isinstance(value, WebhookDelivery) if _told(value)
        }
        found = self._left(deleting, None, patience_s)
        return found + self._left(told.keys() - deleting, set(told.values()), patience_s)

    def replace(self, emptied: Sequence[Emptied[WebhookDelivery]], patience_s: float | None = None) -> None:
        self._clickhouse.insert(WEBHOOK_DELIVERIES, [row_of(one.value, one.at)[1] for one in emptied], patience_s)
        parameters = {
            "projects": sorted({one.value.project_id for one in emptied}),
            "deliveries": sorted({one.value.delivery_id for one in emptied}),
        }
        self._clickhouse.command(_DELETE, parameters, patience_s)
        self._clickhouse.command(_PURGE, patience_s=patience_s)

    def _left(
        self, sessions: set[str], projects: set[str] | None, patience_s: float | None
    ) -> list[Emptied[WebhookDelivery]]:
        if not sessions:
            return []
        parameters = {
            "sessions": sorted(sessions),
            "projects": sorted(projects or ()),
            "deleted": CHAT_MESSAGE_DELETED,
            "separator": SEPARATOR,
        }
        sql = _LEFT if projects is None else _LEFT + _OF_PROJECTS
        return [_emptied(row) for row in self._clickhouse.query(sql, parameters, patience_s)]


def _deletes(event: ParticipantEvent) -> bool:
    return event.event == CHAT_MESSAGE_DELETED


def _told(delivery: WebhookDelivery) -> bool:
    return delivery.trigger == Trigger.CHAT and delivery.status is not DeliveryStatus.PENDING


def _emptied(row: dict[str, Any]) -> Emptied[WebhookDelivery]:
    delivery = msgspec.json.decode(row["document"], type=WebhookDelivery)
    at = Position(int(row["_partition"]), int(row["_offset"]), delivery.created_at_ms)
    return Emptied(topics.WEBHOOK_DELIVERIES, delivery.delivery_id, emptied(delivery), at)
