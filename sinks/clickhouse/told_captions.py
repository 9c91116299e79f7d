"""Takes away what receivers were told of captions that Zoom has deleted: of deliveries that are over.

As for chat messages (`told_words`): one that is still tried keeps its words, for its body is what is sent, and it does
not matter whether the deletion or the delivery was written last.
"""

from collections.abc import Iterable
from typing import Any

from connectors.clickhouse.client import ClickHouse
from schemas import embedded_json
from schemas.clickhouse import WEBHOOK_DELIVERIES
from schemas.records import DeliveryStatus, Record, Utterance, WebhookDelivery
from schemas.settings import Engine
from schemas.triggers import Trigger
from sinks.clickhouse.caption_words import Said, changed, written
from sinks.clickhouse.emptied import Emptied
from sinks.clickhouse.told import BODY, ToldDeliveries, said_by

_SAYS = said_by(Trigger.TRANSCRIPT)
_TOLD = f"""
SELECT document, _partition, _offset FROM {WEBHOOK_DELIVERIES.name}
WHERE session_id IN {{sessions:Array(String)}} AND {_SAYS}
  AND JSONExtractString({BODY}, 'data', 'segment_id') IN {{utterances:Array(String)}}
"""  # noqa: S608


class ToldCaptions(ToldDeliveries):
    """Of captions; see `Words`."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        super().__init__(clickhouse, _SAYS)

    def left(self, content: Iterable[Record], patience_s: float | None = None) -> list[Emptied[WebhookDelivery]]:
        news = [said for said in map(_about, content) if said is not None]
        withdrawing = [row for row in changed(self._clickhouse, news, patience_s) if row["withdraws"]]
        if not withdrawing:
            return []
        newest = {(row["session_id"], row["utterance_id"]): row["revision"] for row in withdrawing}
        parameters = {
            "sessions": sorted({session_id for session_id, _ in newest}),
            "utterances": sorted({utterance_id for _, utterance_id in newest}),
        }
        found = self._found(_TOLD, parameters, patience_s)
        told = ((said, left) for delivery, left in found if (said := _told(delivery)) is not None)
        return [left for said, left in told if said.revision < newest.get(said.whose, 0)]


def _about(value: Record) -> Said | None:
    """Which caption a record may have withdrawn words of: one that withdraws, or a delivery that is over."""
    if isinstance(value, Utterance):
        return written(value) if value.withdraws else None
    return _told(value) if isinstance(value, WebhookDelivery) else None


def _told(delivery: WebhookDelivery) -> Said | None:
    """What a delivery that is over has told of one of Zoom's captions, as far as its body can be read."""
    if delivery.trigger != Trigger.TRANSCRIPT or delivery.status is DeliveryStatus.PENDING:
        return None
    body: Any = embedded_json.read(delivery.body)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or data.get("engine") != Engine.ZOOM:
        return None
    utterance_id, start_ms, revision = data.get("segment_id"), data.get("timestamp_ms"), data.get("revision")
    if not isinstance(utterance_id, str) or not isinstance(start_ms, int) or not isinstance(revision, int):
        return None
    return Said(delivery.session_id, utterance_id, start_ms, revision)
