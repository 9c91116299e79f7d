"""Breaks a real producer for good, or holds it, with librdkafka's own switches.

A stub would only repeat what we believe of the library.
"""

import ctypes
import re
from pathlib import Path

from connectors.kafka.producer import Producer
from connectors.kafka.records import Place
from connectors.kafka.transactions import TransactionalProducer

OUT_OF_ORDER_SEQUENCE_NUMBER = 45


def break_for_good(producer: Producer) -> None:
    assert _library().rd_kafka_test_fatal_error(_handle(producer), OUT_OF_ORDER_SEQUENCE_NUMBER, b"told to") == 0


def hold(producer: Producer | TransactionalProducer, place: Place) -> None:
    """From here on the producer sends nothing to that partition, and says nothing of it: it is stuck."""
    library = _library()
    library.rd_kafka_topic_partition_list_new.restype = ctypes.c_void_p
    places = ctypes.c_void_p(library.rd_kafka_topic_partition_list_new(1))
    library.rd_kafka_topic_partition_list_add(places, place.topic.encode(), place.partition)
    assert library.rd_kafka_pause_partitions(_handle(producer), places) == 0
    library.rd_kafka_topic_partition_list_destroy(places)


def _library() -> ctypes.CDLL:
    mapped = Path("/proc/self/maps").read_text()
    [path] = set(re.findall(r"\S*/librdkafka\S*\.so\S*", mapped))
    return ctypes.CDLL(path)


def _handle(producer: Producer | TransactionalProducer) -> ctypes.c_void_p:
    return ctypes.c_void_p.from_address(id(producer._library) + object.__basicsize__)  # the client's first field
