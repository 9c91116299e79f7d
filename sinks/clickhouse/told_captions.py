"""Takes away what receivers were told of captions that Zoom has deleted: of deliveries that are over.

As for chat messages (`told_words`): one that is still tried keeps its words, for its body is what is sent, and it does
not matter whether the deletion or the delivery was written last.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from connectors.clickhouse.client import ClickHouse
from schemas import embedded_json, topics
from schemas.clickhouse import WEBHOOK_DELIVERIES
from schemas.deletion import NO_BODY, emptied
from schemas.records import DeliveryStatus, Record, Utterance, WebhookDelivery
from schemas.settings import Engine
from schemas.triggers import Trigger
from sinks.clickhouse.caption_words import Said, changed, written
from sinks.clickhouse.emptied import Emptied
from sinks.clickhouse.rows import Position, row_of

_BODY = "JSONExtractString(document, 'body')"
_SAYS = f"trigger = '{Trigger.TRANSCRIPT}' AND status != '{DeliveryStatus.PENDING}' AND {_BODY} != '{NO_BODY}'"
_TOLD = f"""
SELECT document, _partition, _offset FROM {WEBHOOK_DELIVERIES.name}
WHERE session_id IN {{sessions:Array(String)}} AND {_SAYS}
  AND JSONExtractString({_BODY}, 'data', 'segment_id') IN {{utterances:Array(String)}}
"""  # noqa: S608
_DELETE = f"""
DELETE FROM {WEBHOOK_DELIVERIES.name}
WHERE project_id IN {{projects:Array(String)}} AND delivery_id IN {{deliveries:Array(String)}} AND {_SAYS}
"""  # noqa: S608
_PURGE = f"ALTER TABLE {WEBHOOK_DELIVERIES.name} APPLY DELETED MASK"


class ToldCaptions:
    """The rows of the deliveries; see `Words`."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

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
        found = []
        for row in self._clickhouse.query(_TOLD, parameters, patience_s):
            delivery = msgspec.json.decode(row["document"], type=WebhookDelivery)
            said = _told(delivery)
            if said is not None and said.revision < newest.get(said.whose, 0):
                at = Position(int(row["_partition"]), int(row["_offset"]), delivery.created_at_ms)
                found.append(Emptied(topics.WEBHOOK_DELIVERIES, delivery.delivery_id, emptied(delivery), at))
        return found

    def replace(self, emptied: Sequence[Emptied[WebhookDelivery]], patience_s: float | None = None) -> None:
        self._clickhouse.insert(WEBHOOK_DELIVERIES, [row_of(one.value, one.at)[1] for one in emptied], patience_s)
        parameters = {
            "projects": sorted({one.value.project_id for one in emptied}),
            "deliveries": sorted({one.value.delivery_id for one in emptied}),
        }
        self._clickhouse.command(_DELETE, parameters, patience_s)
        self._clickhouse.command(_PURGE, patience_s=patience_s)


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
