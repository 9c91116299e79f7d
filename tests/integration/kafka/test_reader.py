"""Whole partitions are read to their true ends, whatever stands there."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka.consumer import create_consumer
from connectors.kafka.errors import OffsetOutOfRange, TimedOut
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import Producer
from connectors.kafka.reader import PartitionLoader, Reader
from connectors.kafka.records import BEGINNING, Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from schemas.topics import Topic
from tests.integration.kafka.conftest import PATIENCE_S, read

Closing = Callable[[Any], Any]


@pytest.fixture
def loader(settings: KafkaSettings, closing: Closing) -> PartitionLoader:
    return closing(PartitionLoader(settings))


def places(topic: Topic) -> list[Place]:
    return [Place(topic.name, number) for number in range(4)]


def test_empty_partitions_are_read_at_once(loader: PartitionLoader, topic: Topic) -> None:
    assert list(loader.load(places(topic), PATIENCE_S)) == []
    assert list(loader.load([], PATIENCE_S)) == []


def test_order_holds_within_each_partition(loader: PartitionLoader, producer: Producer, topic: Topic) -> None:
    sent = [producer.send_future(topic, b"k", b"%d" % number, number % 4) for number in range(40)]
    for number, written in enumerate(sent):
        assert written.result(PATIENCE_S) == number // 4, "acknowledged, in the order of sending"
    records = list(loader.load(places(topic), PATIENCE_S))
    assert {int(record.value or b"") for record in records} == set(range(40))
    for partition in range(4):
        assert [r.offset for r in records if r.partition == partition] == list(range(10))


def test_a_loader_can_be_used_again_and_sees_what_is_new(
    loader: PartitionLoader, producer: Producer, topic: Topic
) -> None:
    producer.send_blocking(topic, b"k", b"1", 0)
    assert len(list(loader.load(places(topic), PATIENCE_S))) == 1
    producer.send_blocking(topic, b"k", b"2", 0)
    assert [record.value for record in loader.load(places(topic), PATIENCE_S)] == [b"1", b"2"]


def test_the_end_may_be_a_marker_and_aborted_records_are_not_there(
    loader: PartitionLoader, settings: KafkaSettings, topic: Topic, group: str, closing: Closing
) -> None:
    consumer = closing(create_consumer(settings, group=group, topics=[topic], instance_id=group))
    while not consumer.assignment():
        consumer.consume()
    transactions = closing(TransactionalProducer(settings, group))
    transactions.init()
    transactions.begin()
    transactions.send(topic, b"k", b"kept", 0)
    transactions.commit({}, consumer.membership)
    transactions.begin()
    transactions.send(topic, b"k", b"thrown away", 0)
    # What was never in the log need not be hidden, and its abort can be refused.
    transactions._library.flush(PATIENCE_S)
    transactions.abort()
    assert [record.value for record in loader.load(places(topic), PATIENCE_S)] == [b"kept"]


def test_an_open_transaction_is_waited_for(
    loader: PartitionLoader, settings: KafkaSettings, topic: Topic, group: str, closing: Closing
) -> None:
    transactions = closing(TransactionalProducer(settings, group))
    transactions.init()
    transactions.begin()
    transactions.send(topic, b"k", b"open", 0)
    transactions._library.flush(PATIENCE_S)
    with pytest.raises(TimedOut):
        list(loader.load(places(topic), 0.5))
    transactions.abort()
    assert list(loader.load(places(topic), PATIENCE_S)) == []


def test_a_reader_starts_where_it_is_told(
    settings: KafkaSettings, producer: Producer, topic: Topic, closing: Closing
) -> None:
    for number in range(5):
        producer.send(topic, b"k", b"%d" % number, 1)
    producer.flush(PATIENCE_S)
    reader = closing(Reader(settings))
    place = Place(topic.name, 1)
    reader.assign({place: 3})
    assert [record.value for record in read(reader, 2)] == [b"3", b"4"]
    assert reader.position(place) == 5
    reader.assign({place: BEGINNING})
    assert len(read(reader, 5)) == 5


def test_an_offset_that_does_not_exist_is_an_error_never_a_reset(
    settings: KafkaSettings, producer: Producer, topic: Topic, closing: Closing
) -> None:
    producer.send_blocking(topic, b"k", b"1", 0)
    reader = closing(Reader(settings))
    reader.assign({Place(topic.name, 0): 1000})
    with pytest.raises(OffsetOutOfRange) as error:
        read(reader, 1)
    assert error.value.place == Place(topic.name, 0)


def test_the_directory_answers_for_all_partitions_at_once(
    settings: KafkaSettings, producer: Producer, topic: Topic
) -> None:
    producer.send_blocking(topic, b"k", b"1", 2)
    directory = OffsetDirectory(settings)
    assert directory.ends(places(topic)) == {place: int(place.partition == 2) for place in places(topic)}
    assert directory.starts(places(topic)) == dict.fromkeys(places(topic), 0)
    assert directory.ends([]) == {}
