"""A transactional producer outlives an outage that is longer than its member's session."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka.consumer import GroupConsumer, create_consumer
from connectors.kafka.errors import Abort
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from deploy.local.broker.broker import Broker
from schemas.topics import Topic
from tests.integration.kafka.conftest import until

pytestmark = pytest.mark.timeout(600)

Closing = Callable[[Any], Any]

OUTAGE_S = 12


def test_the_first_transaction_after_an_outage(
    kafka: Broker, settings: KafkaSettings, make_topic: Callable[..., Topic], group: str, closing: Closing
) -> None:
    source, target = make_topic(), make_topic()
    producer = closing(create_producer(settings, CONTROL))
    transactions = closing(TransactionalProducer(settings, f"tx-{group}"))
    transactions.init()
    consumer: GroupConsumer = closing(create_consumer(settings, group=group, topics=[source], instance_id=group))

    def turn() -> None:
        producer.send_blocking(source, b"k", b"v", 1)
        read: list[Record] = []

        def committed() -> bool:
            """What is aborted, because the member has to join anew, say, is done again, as every service does."""
            read.extend(consumer.consume())
            if not read or consumer.membership is None:
                return False
            transactions.begin()
            try:
                transactions.send(target, b"k", b"v", 1)
                transactions.commit({record.place: record.offset + 1 for record in read}, consumer.membership)
            except Abort:
                transactions.abort()
                return False
            return True

        until(committed, "the transaction")

    turn()
    kafka.stop()
    ends_at = time.monotonic() + OUTAGE_S
    while time.monotonic() < ends_at:
        consumer.consume(wait_s=0.2)
    kafka.start()
    turn()
