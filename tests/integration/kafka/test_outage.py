"""The broker is killed in the middle and comes back: nothing lost, nothing doubled, nobody restarted."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka.consumer import create_consumer
from connectors.kafka.errors import KafkaError
from connectors.kafka.producer import MEDIA, create_producer
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from deploy.local.broker.broker import Broker
from schemas.topics import Topic
from tests.integration.kafka.conftest import until

pytestmark = pytest.mark.timeout(900)

Closing = Callable[[Any], Any]


def test_a_killed_broker_costs_nothing(
    kafka: Broker, settings: KafkaSettings, topic: Topic, group: str, closing: Closing
) -> None:
    producer = closing(create_producer(settings, MEDIA))
    consumer = closing(create_consumer(settings, group=group, topics=[topic]))
    copied: list[int] = []
    view = closing(TopicView(settings, topic, lambda record: copied.append(int(record.value or b"")))).start()
    failed: list[KafkaError] = []
    stop = threading.Event()
    sent = 0

    def send() -> None:
        nonlocal sent
        while not stop.is_set():
            producer.send(topic, b"k", b"%d" % sent, 1, lambda error, _: failed.append(error) if error else None)
            sent += 1
            time.sleep(0.005)

    consumed: list[int] = []

    def consume() -> bool:
        consumed.extend(int(record.value or b"") for record in consumer.consume())
        return len(consumed) > 100

    def committed() -> bool:
        """The coordinator takes a while longer than the topics; whoever commits tries again, as our services do."""
        try:
            consumer.commit({Place(topic.name, 1): len(consumed)})
        except KafkaError as error:
            if not error.retryable:
                raise
            return False
        return True

    sender = threading.Thread(target=send)
    sender.start()
    try:
        until(consume, "100 records")
        kafka.kill()
        until(lambda: not producer.connection.is_up, "the producer to notice")
        kafka.start()
        before = len(consumed)
        until(lambda: consume() and len(consumed) > before + 100, "100 records more", 60)
    finally:
        stop.set()
        sender.join()
    until(committed, "the group's coordinator", 60)
    assert producer.flush(60) == 0
    until(lambda: consume() and len(consumed) >= sent, "the rest", 60)
    assert failed == []
    assert consumed == list(range(sent))
    assert view.wait_until(1, sent - 1, 60)
    assert copied == list(range(sent))
    assert producer.connection.is_up
    assert consumer.position(Place(topic.name, 1)) == sent
