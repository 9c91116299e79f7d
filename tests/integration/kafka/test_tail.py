"""A tail hands over everything from exactly the offset that `join` names."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka.errors import OffsetOutOfRange
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import Producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.tail import Hearer, Tail
from schemas.topics import Topic
from tests.integration.kafka.conftest import PATIENCE_S, until

Closing = Callable[[Any], Any]


class Ear(Hearer):
    """Wants what it was told to want."""

    def __init__(self) -> None:
        self.wanted: set[bytes | None] = set()
        self.heard: list[Record] = []
        self.places: list[Place] = []

    def wants(self, record: Record) -> bool:
        return record.key in self.wanted

    def take(self, record: Record) -> None:
        if record.value == b"bad":
            raise ValueError("a record that nobody foresaw")
        self.heard.append(record)

    def lost(self, place: Place) -> None:
        self.places.append(place)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def tail(settings: KafkaSettings, topic: Topic, ear: Ear, closing: Closing) -> Tail:
    return closing(Tail(settings, [topic], ear))


def test_the_log_up_to_where_it_joined_and_what_it_hands_over_are_everything_once(
    tail: Tail, ear: Ear, settings: KafkaSettings, producer: Producer, topic: Topic, closing: Closing
) -> None:
    for number in range(50):
        producer.send_blocking(topic, b"k", b"%d" % number, 1)
    tail.start()
    until(lambda: tail.is_ready, "ready")
    dice, joined, place = random.Random(7), {}, Place(topic.name, 1)
    writing = threading.Thread(
        target=lambda: [producer.send_blocking(topic, b"%d" % (n % 5), b"%d" % n, 1) for n in range(400)]
    )
    writing.start()
    for key in (b"0", b"1", b"2"):
        until(lambda: dice.random() < 0.2, "any moment")
        joined[key] = tail.join(place, lambda key=key: ear.wanted.add(key))
    writing.join()
    passed = threading.Event()
    tail.when_passed(place, 450, passed.set)
    assert passed.wait(PATIENCE_S)
    loader = closing(PartitionLoader(settings))
    everything = list(loader.load([place], PATIENCE_S))
    for key, offset in joined.items():
        assert offset is not None
        before = list(loader.between({place: 0}, {place: offset}, PATIENCE_S))
        assert [record.offset for record in before] == list(range(offset))
        handed = [record for record in ear.heard if record.key == key]
        assert [r for r in before if r.key == key] + handed == [r for r in everything if r.key == key]


def test_before_it_knows_the_ends_nobody_joins(tail: Tail, topic: Topic) -> None:
    assert tail.join(Place(topic.name, 0), lambda: None) is None


def test_one_bad_record_does_not_silence_those_that_follow(
    tail: Tail, ear: Ear, producer: Producer, topic: Topic
) -> None:
    ear.wanted.add(b"k")
    tail.start()
    until(lambda: tail.is_ready, "ready")
    for value in (b"1", b"bad", b"2"):
        producer.send_blocking(topic, b"k", value, 2)
    until(lambda: [record.value for record in ear.heard] == [b"1", b"2"], "handed over")


def test_a_tail_that_was_overtaken_says_so_and_goes_on_from_the_end(
    tail: Tail, ear: Ear, producer: Producer, topic: Topic
) -> None:
    place, overtaken = Place(topic.name, 3), [1]
    consume = tail._reader.consume

    def once_overtaken(*arguments: Any) -> list[Record]:
        if overtaken:
            overtaken.clear()
            raise OffsetOutOfRange(place)
        return consume(*arguments)

    tail._reader.consume = once_overtaken  # type: ignore[method-assign]
    ear.wanted.add(b"k")
    tail.start()
    until(lambda: ear.places == [place], "told")
    offset = producer.send_blocking(topic, b"k", b"v", 3)
    until(lambda: [record.offset for record in ear.heard] == [offset], "goes on")


def test_where_a_time_begins(settings: KafkaSettings, producer: Producer, topic: Topic, closing: Closing) -> None:
    places = [Place(topic.name, 0), Place(topic.name, 1)]
    for number in range(3):
        producer.send_blocking(topic, b"k", b"%d" % number, 0)
    loader = closing(PartitionLoader(settings))
    times = [record.timestamp_ms for record in loader.load(places, PATIENCE_S)]
    directory = OffsetDirectory(settings)
    assert directory.since(places, times[0]) == {places[0]: 0, places[1]: None}
    assert directory.since(places, times[-1] + 1) == {places[0]: None, places[1]: None}
