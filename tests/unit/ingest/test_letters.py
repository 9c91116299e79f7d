"""What Zoom sent and nobody can use reaches the dead letters, once Kafka takes it."""

from concurrent.futures import Future

import pytest
from prometheus_client import REGISTRY

from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.errors import DeliveryFailed, QueueFull
from ingest.letters import MAX_WAITING, Letters
from ingest.publisher import Identity
from schemas import topics
from schemas.codec import Codec
from schemas.excerpts import excerpt_of

CODEC = Codec.with_ids_from(topics.ALL)


class Slow:
    """A producer that has room for so many records, and settles none of them by itself."""

    def __init__(self, room=1_000):
        self.room, self.keys, self.pending, self.values = room, [], [], []

    def send_future(self, topic, key, value, partition):
        if not self.room:
            raise QueueFull("full", code="_QUEUE_FULL")
        self.room -= 1
        self.keys.append(key)
        self.values.append(CODEC.decode(topic, value))
        self.pending.append(Future())
        return self.pending[-1]

    def settle(self, error=None):
        pending, self.pending = self.pending, []
        for future in pending:
            future.set_result(1) if error is None else future.set_exception(error)


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
    producer.settle(DeliveryFailed("away"))
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
