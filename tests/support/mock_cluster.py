"""librdkafka's own cluster of one mock broker, for what a real one does only in a moment that nobody can hit."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from connectors.kafka import brokers

NOT_LEADER = 6
_PRODUCE = 0
_PRODUCER = 0
_THE_BROKER = 1


class MockCluster:
    """One broker, topics of one partition. It takes every sequence number, as a real one does from who is new to it."""

    def __init__(self, library: ctypes.CDLL, cluster: ctypes.c_void_p) -> None:
        self._library = library
        self._cluster = cluster
        library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        self.bootstrap = library.rd_kafka_mock_cluster_bootstraps(cluster).decode()

    def create(self, topic: str) -> None:
        self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), 1, 1)

    def answers_after(self, milliseconds: int) -> None:
        """From now on."""
        self._library.rd_kafka_mock_broker_set_rtt(self._cluster, _THE_BROKER, milliseconds)

    def go_away(self) -> None:
        """Connections break, and no new ones are taken."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, _THE_BROKER)

    def come_back(self) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, _THE_BROKER)

    def turn_away(self, batches: int) -> None:
        """The next batches of whoever produces: it is not their leader, for the moment."""
        errors = [ctypes.c_int(NOT_LEADER)] * batches
        self._library.rd_kafka_mock_push_request_errors(self._cluster, _PRODUCE, ctypes.c_size_t(batches), *errors)


@contextmanager
def mock_cluster() -> Iterator[MockCluster]:
    """Running; it lives in this process."""
    library = brokers._library()
    assert library is not None, "another release of confluent-kafka: see connectors/kafka/brokers.py"
    library.rd_kafka_conf_new.restype = library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    reason = ctypes.create_string_buffer(512)
    configuration = ctypes.c_void_p(library.rd_kafka_conf_new())
    client = ctypes.c_void_p(library.rd_kafka_new(_PRODUCER, configuration, reason, ctypes.c_size_t(len(reason))))
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(client, 1))
    try:
        yield MockCluster(library, cluster)
    finally:
        library.rd_kafka_mock_cluster_destroy(cluster)
        library.rd_kafka_destroy(client)
