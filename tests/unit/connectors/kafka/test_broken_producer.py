"""A producer that is broken for good says so, in its state and to whoever sends; its process watches for that."""

from collections.abc import Iterator

import pytest

from connectors.kafka.errors import Fatal
from connectors.kafka.producer import CONTROL, Producer, create_producer
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from tests.support.broken_clients import break_for_good
from tests.support.processes import PATIENCE_S, wait_for


@pytest.fixture
def producer() -> Iterator[Producer]:
    producer = create_producer(KafkaSettings(bootstrap_servers="127.0.0.1:1"), CONTROL)
    yield producer
    producer.close(0.1)


def test_its_state_tells(producer: Producer) -> None:
    assert producer.connection.fatal is None
    break_for_good(producer)
    wait_for(lambda: producer.connection.fatal is not None, PATIENCE_S, lambda: "nobody was told that it is broken")
    assert producer.connection.fatal is not None
    assert producer.connection.fatal.code == "OUT_OF_ORDER_SEQUENCE_NUMBER"


def test_who_sends_is_told(producer: Producer) -> None:
    break_for_good(producer)
    with pytest.raises(Fatal):
        producer.send(topics.SESSION_FACTS, b"key", b"value", 0)
    assert producer.connection.fatal is not None
