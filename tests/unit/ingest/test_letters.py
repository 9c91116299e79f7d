"""What Zoom sent and nobody can use reaches the dead letters, once Kafka takes it."""

import tracemalloc

import pytest
from prometheus_client import REGISTRY

from connectors.kafka.dead_letters import DeadLetters
from ingest.letters import MAX_WAITING, Letters
from ingest.publisher import Identity
from schemas import topics
from schemas.codec import Codec
from schemas.excerpts import KEPT_BYTES, excerpt_of
from tests.unit.ingest.producers import FakeProducer

CODEC = Codec.with_ids_from(topics.ALL)


class Slow(FakeProducer):
    """Keeps the letters that it was ever given."""

    def __init__(self, room=1_000):
        super().__init__(room)
        self.values = []

    def take(self, account, topic, value):
        super().take(account, topic, value)
        self.values.append(CODEC.decode(topic, value))


class Forgetful(FakeProducer):
    """Has everything on its way, in a memory that is not Python's."""

    def take(self, account, topic, value):
        """Nothing is kept of it here."""


@pytest.fixture
def begin():
    def make(producer, session="app_1", epoch=7):
        return Letters(DeadLetters(producer, CODEC), Identity(session, 3, epoch))

    return make


def lost():
    return REGISTRY.get_sample_value("rtms_ingest_letters_lost_total") or 0


def test_no_two_letters_have_one_key(begin):
    producer = Slow()
    for session, epoch in (("app_1", 7), ("app_1", 8), ("app_2", 7)):  # all of one partition
        letters = begin(producer, session, epoch)
        letters.put_aside("not_json", excerpt_of(b"x"))
        letters.put_aside("not_json", excerpt_of(b"x"))
    assert len(set(producer.keys)) == 6
    assert producer.keys[0] == b"zoom/app_1/7/1"
    assert {(letter.topic, letter.session_id) for letter in producer.values} == {("zoom", "app_1"), ("zoom", "app_2")}


def test_what_kafka_did_not_take_is_sent_again_and_is_the_same_letter(begin):
    producer = Slow()
    letters = begin(producer)
    letters.put_aside("not_json", excerpt_of(b"x"))
    producer.settle(refused=True)
    assert letters.unsettled == 1
    letters.send()
    producer.settle()
    assert letters.unsettled == 0
    assert producer.keys[0] == producer.keys[1]
    assert producer.values[0] == producer.values[1]


def test_what_the_producer_has_no_room_for_waits_and_too_much_of_it_is_given_up_and_counted(begin):
    producer, before = Slow(room=0), lost()
    letters = begin(producer)
    for number in range(MAX_WAITING + 3):
        letters.put_aside("not_json", excerpt_of(b"%d" % number))
    assert (letters.unsettled, lost() - before) == (MAX_WAITING, 3)
    producer.room = 1_000
    letters.send()
    producer.settle()
    assert letters.unsettled == 0
    assert [letter.data for letter in producer.values] == [b"%d" % number for number in range(3, MAX_WAITING + 3)]


def test_what_is_on_its_way_to_kafka_is_held_once_and_not_by_us(begin):
    """The producer's queue has a bound; a copy of every letter in it would come on top."""
    letters = begin(Forgetful())
    tracemalloc.start()
    try:
        for number in range(40):
            letters.put_aside("not_json", excerpt_of(bytes([number]) * KEPT_BYTES))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert letters.unsettled == 40
    assert held < 2 * KEPT_BYTES
