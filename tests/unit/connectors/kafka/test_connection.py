"""Brokers go and come back while nobody has anything to send or to read: that they are back is seen all the same."""

from collections.abc import Callable, Iterator

import pytest

from connectors.kafka import producer as producers
from connectors.kafka import reader as readers
from connectors.kafka.connection import Connection
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import Reader
from connectors.kafka.records import BEGINNING, Place
from connectors.kafka.settings import KafkaSettings
from schemas.topics import PROJECTS
from tests.support.mock_cluster import MockCluster, mock_cluster
from tests.support.processes import PATIENCE_S, wait_for


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockCluster]:
    for module in (producers, readers):
        monkeypatch.setattr(module, "LOOK_S", 0.5)
    with mock_cluster() as cluster:
        cluster.create(PROJECTS.name)
        yield cluster


def goes_and_comes(cluster: MockCluster, connection: Connection, work: Callable[[], object]) -> None:
    """`work` is what its thread does all the time."""
    cluster.go_away()
    wait_for(lambda: work() and not connection.is_up, PATIENCE_S, lambda: "nobody noticed")
    cluster.come_back()
    wait_for(lambda: work() and connection.is_up, PATIENCE_S, lambda: "it is back, and nobody noticed")


def test_one_that_sends_nothing(cluster: MockCluster) -> None:
    producer = create_producer(KafkaSettings(bootstrap_servers=cluster.bootstrap), CONTROL)
    try:
        producer.send_blocking(PROJECTS, b"key", b"value", 0)
        goes_and_comes(cluster, producer.connection, lambda: True)
    finally:
        producer.close()


def test_one_that_has_read_everything(cluster: MockCluster) -> None:
    reader = Reader(KafkaSettings(bootstrap_servers=cluster.bootstrap), is_polled=True)
    try:
        place = Place(PROJECTS.name, 0)
        reader.assign({place: BEGINNING})
        wait_for(lambda: reader.consume() == [], PATIENCE_S, lambda: "nothing was read")
        goes_and_comes(cluster, reader.connection, lambda: reader.consume() == [])
    finally:
        reader.close()
