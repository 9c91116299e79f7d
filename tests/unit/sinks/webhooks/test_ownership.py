"""A predecessor's deliveries are read in the background of a member's life, and few of them are held meanwhile."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.kafka.errors import TimedOut
from connectors.kafka.records import Place, Record
from schemas import topics
from schemas.codec import Codec
from schemas.keys import item_key
from schemas.records import DeliveryStatus, WebhookDelivery
from sinks.webhooks.lanes import Lanes
from sinks.webhooks.ownership import AT_A_TIME_S, Ownership
from tests.unit.schemas.test_deletion import TOLD

CODEC = Codec.with_ids_from(topics.ALL)
NOTICES = {Place(topics.WEBHOOK_NOTICES.name, 0): 0}


class Left:
    """What lies in the log; each record that is read takes its time."""

    now_s, each_s = 0.0, 0.0

    def __init__(self, *deliveries: WebhookDelivery | None) -> None:
        self.deliveries, self.loads = list(deliveries), 0

    def load_all(self, _places: Any, _stall_s: float) -> Iterator[Record]:
        self.loads += 1
        for offset, delivery in enumerate(list(self.deliveries)):
            self.now_s += self.each_s
            value = None if delivery is None else CODEC.encode(topics.WEBHOOK_DELIVERIES, delivery)
            key = item_key("app_1", "whd_0" if delivery is None else delivery.delivery_id)
            yield Record(topics.WEBHOOK_DELIVERIES.name, 0, offset, 0, key, value)

    def monotonic(self) -> float:
        return self.now_s


def one(number: int, status: DeliveryStatus = DeliveryStatus.DELIVERED) -> WebhookDelivery:
    return replace(TOLD, delivery_id=f"whd_{number}", sequence=number, notice_offset=number, status=status, attempts=())


def owning(left: Left) -> tuple[Ownership, Lanes]:
    lanes = Lanes()
    return Ownership(lanes, left, CODEC, 1.0, left), lanes  # type: ignore[arg-type]


def ids(lanes: Lanes) -> list[str]:
    return [delivery.delivery_id for delivery in lanes.unfinished("app_1", "webhook_1")]


def test_what_is_over_is_not_held_while_the_rest_is_read() -> None:
    statuses = (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED)
    left = Left(*[one(number, status) for number in range(100) for status in statuses], one(100))
    left.each_s = AT_A_TIME_S / 50
    owner, lanes = owning(left)
    for _ in range(4):
        with pytest.raises(TimedOut) as raised:
            owner.on_assigned(NOTICES)
        assert raised.value.retryable
        assert len(owner._waiting) <= 1
    owner.on_assigned(NOTICES)
    assert left.loads == 1, "a slice at a time, and none of them twice"
    assert (ids(lanes), lanes._lanes["app_1", "webhook_1"].next_sequence) == ([], 101)


def test_the_newest_of_each_counts_in_the_order_of_their_notices() -> None:
    pending = DeliveryStatus.PENDING
    owner, lanes = owning(Left(one(1, pending), one(2), one(3, pending), None, one(2, pending), one(3)))
    owner.on_assigned(NOTICES)
    assert ids(lanes) == ["whd_1", "whd_2"]


def test_what_went_away_while_it_was_read_is_read_anew() -> None:
    """Its owner of meanwhile has written there."""
    left = Left(*[one(number, DeliveryStatus.PENDING) for number in range(3)])
    left.each_s = AT_A_TIME_S
    owner, lanes = owning(left)
    with pytest.raises(TimedOut):
        owner.on_assigned(NOTICES)
    owner.on_revoked([])
    left.deliveries.append(one(0))
    left.each_s = 0.0
    owner.on_assigned(NOTICES)
    assert (left.loads, ids(lanes)) == (2, ["whd_1", "whd_2"])


def test_what_cannot_be_read_on_is_begun_anew() -> None:
    class Stalling(Left):
        def load_all(self, places: Any, stall_s: float) -> Iterator[Record]:
            yield from super().load_all(places, stall_s)
            if self.loads == 1:
                raise TimedOut("stalled")

    left = Stalling(one(0, DeliveryStatus.PENDING))
    owner, lanes = owning(left)
    with pytest.raises(TimedOut):
        owner.on_assigned(NOTICES)
    owner.on_assigned(NOTICES)
    assert (left.loads, ids(lanes)) == (2, ["whd_0"])
