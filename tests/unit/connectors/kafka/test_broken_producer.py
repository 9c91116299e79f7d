"""A producer that is broken for good says so, in its state and to whoever sends; its process watches for that.

librdkafka's own switch for tests breaks a real client: a stub would only repeat what we believe of the library.
"""

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.kafka.errors import Fatal
from connectors.kafka.producer import CONTROL, Producer, create_producer
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from tests.support.processes import wait_for

OUT_OF_ORDER_SEQUENCE_NUMBER = 45


def break_for_good(producer: Producer) -> None:
    mapped = Path("/proc/self/maps").read_text()
    [path] = set(re.findall(r"\S*/librdkafka\S*\.so\S*", mapped))
    handle = ctypes.c_void_p.from_address(id(producer._library) + object.__basicsize__)  # the client's first field
    assert ctypes.CDLL(path).rd_kafka_test_fatal_error(handle, OUT_OF_ORDER_SEQUENCE_NUMBER, b"told to") == 0


@pytest.fixture
def producer() -> Iterator[Producer]:
    producer = create_producer(KafkaSettings(bootstrap_servers="127.0.0.1:1"), CONTROL)
    yield producer
    producer.close(0.1)


def test_its_state_tells(producer: Producer) -> None:
    assert producer.connection.fatal is None
    break_for_good(producer)
    wait_for(lambda: producer.connection.fatal is not None, 5, lambda: "nobody was told that the client is broken")
    assert producer.connection.fatal is not None
    assert producer.connection.fatal.code == "OUT_OF_ORDER_SEQUENCE_NUMBER"


def test_who_sends_is_told(producer: Producer) -> None:
    break_for_good(producer)
    with pytest.raises(Fatal):
        producer.send(topics.SESSION_FACTS, b"key", b"value", 0)
    assert producer.connection.fatal is not None
