"""Takes away what receivers were told of chat messages that were deleted in the meeting: of deliveries that are over.

The words of a message stand in every delivery that told of it, too. One that is still tried keeps them, for its body is
what is sent; whoever finishes it writes it again, and it is found then. As for the messages themselves (`chat_words`),
it does not matter whether the deletion or the delivery was written last.
"""

from collections.abc import Iterable

from connectors.clickhouse.client import ClickHouse
from schemas.chat_messages import DELETED, SEPARATOR
from schemas.clickhouse import PARTICIPANT_EVENTS, WEBHOOK_DELIVERIES
from schemas.participant_events import CHAT_MESSAGE_DELETED
from schemas.records import DeliveryStatus, ParticipantEvent, Record, WebhookDelivery
from schemas.triggers import Trigger
from sinks.clickhouse.emptied import Emptied
from sinks.clickhouse.told import BODY, ToldDeliveries, said_by

_SAYS = f"""
{said_by(Trigger.CHAT)}
  AND NOT JSONExtractBool({BODY}, 'data', 'additional_data', '{DELETED}')
"""
_LEFT = f"""
SELECT document, _partition, _offset FROM {WEBHOOK_DELIVERIES.name}
WHERE session_id IN {{sessions:Array(String)}} AND {_SAYS}
  AND (session_id, JSONExtractString({BODY}, 'data', 'id')) IN (
    SELECT session_id, splitByChar({{separator:String}}, event_id)[1] FROM {PARTICIPANT_EVENTS.name}
    WHERE session_id IN {{sessions:Array(String)}} AND event = {{deleted:String}}
  )
"""  # noqa: S608  names of ours
_OF_PROJECTS = "AND project_id IN {projects:Array(String)}"
"""What the table is sorted by."""


class ToldWords(ToldDeliveries):
    """Of chat messages; see `Words`."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        super().__init__(clickhouse, _SAYS)

    def left(self, content: Iterable[Record], patience_s: float | None = None) -> list[Emptied[WebhookDelivery]]:
        news = list(content)
        deleting = {value.session_id for value in news if isinstance(value, ParticipantEvent) if _deletes(value)}
        told = {
            value.session_id: value.project_id for value in news if isinstance(value, WebhookDelivery) if _told(value)
        }
        found = self._left(deleting, None, patience_s)
        return found + self._left(told.keys() - deleting, set(told.values()), patience_s)

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
        return [left for _, left in self._found(sql, parameters, patience_s)]


def _deletes(event: ParticipantEvent) -> bool:
    return event.event == CHAT_MESSAGE_DELETED


def _told(delivery: WebhookDelivery) -> bool:
    return delivery.trigger == Trigger.CHAT and delivery.status is not DeliveryStatus.PENDING
