"""The deliveries that told receivers what may be said no more: their rows, and what is left of them."""

from collections.abc import Iterator, Mapping, Sequence

from connectors.clickhouse.client import ClickHouse
from schemas import topics
from schemas.clickhouse import WEBHOOK_DELIVERIES
from schemas.deletion import NO_BODY, emptied
from schemas.records import DeliveryStatus, WebhookDelivery
from schemas.row_documents import delivery_in
from schemas.triggers import Trigger
from sinks.clickhouse.emptied import Emptied
from sinks.clickhouse.rows import Position, row_of

BODY = "JSONExtractString(document, 'body')"
_PURGE = f"ALTER TABLE {WEBHOOK_DELIVERIES.name} APPLY DELETED MASK"


def said_by(trigger: Trigger) -> str:
    """SQL: whether a delivery of that trigger is over and still says something."""
    return f"trigger = '{trigger}' AND status != '{DeliveryStatus.PENDING}' AND {BODY} != '{NO_BODY}'"


class ToldDeliveries:
    """`replace` of `Words`. `says` is what is true, in SQL, of rows that still say what they must not."""

    def __init__(self, clickhouse: ClickHouse, says: str) -> None:
        self._clickhouse = clickhouse
        self._delete = f"""
            DELETE FROM {WEBHOOK_DELIVERIES.name}
            WHERE project_id IN {{projects:Array(String)}} AND delivery_id IN {{deliveries:Array(String)}} AND {says}
        """  # noqa: S608  names of ours

    def replace(self, emptied: Sequence[Emptied[WebhookDelivery]], patience_s: float | None = None) -> None:
        self._clickhouse.insert(WEBHOOK_DELIVERIES, [row_of(one.value, one.at)[1] for one in emptied], patience_s)
        parameters = {
            "projects": sorted({one.value.project_id for one in emptied}),
            "deliveries": sorted({one.value.delivery_id for one in emptied}),
        }
        self._clickhouse.command(self._delete, parameters, patience_s)
        self._clickhouse.command(_PURGE, patience_s=patience_s)

    def _found(
        self, sql: str, parameters: Mapping[str, object], patience_s: float | None
    ) -> Iterator[tuple[WebhookDelivery, Emptied[WebhookDelivery]]]:
        """Deliveries that a query gives (`document`, `_partition` and `_offset`), each with what is left of it."""
        for row in self._clickhouse.query(sql, parameters, patience_s):
            delivery = delivery_in(row["document"])
            at = Position(int(row["_partition"]), int(row["_offset"]), delivery.created_at_ms)
            yield delivery, Emptied(topics.WEBHOOK_DELIVERIES, delivery.delivery_id, emptied(delivery), at)
