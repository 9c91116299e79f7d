"""The end of a term is said, again while nothing comes of it, and not for ever every moment."""

from types import SimpleNamespace

import pytest

from connectors.kafka.errors import Fatal, QueueFull
from schemas import topics
from schemas.codec import Codec
from schemas.deletion import RETENTION
from schemas.records import FactKind
from sinks.clickhouse.expiring import AGAIN_S, CHECK_S, Expiring
from tests.support.memory_deletions import MemoryDeletions
from tests.unit.connectors.kafka.test_terms import DUE_MS, OVER

CODEC = Codec.with_ids_from(topics.ALL)


class World:
    """A clock, a producer and what is known of terms."""

    def __init__(self):
        self.now_s, self.sent, self.error = 0.0, [], None
        self.deletions = MemoryDeletions()
        self.deletions.terms.know(OVER, 0)
        clock = SimpleNamespace(monotonic=lambda: self.now_s, now_ms=lambda: DUE_MS + int(self.now_s * 1000))
        self.expiring = Expiring(self.deletions, self, SimpleNamespace(codec=CODEC), 8, clock)

    def send(self, topic, key, data, partition):
        if self.error is not None:
            raise self.error
        self.sent.append((topic, key, CODEC.decode(topic, data)))

    def step(self, after_s=0.0):
        self.now_s += after_s
        self.expiring.step({0})
        return len(self.sent)


def test_it_is_said_and_said_again_while_nothing_comes_of_it():
    world = World()
    assert world.step() == 1
    topic, key, fact = world.sent[0]
    assert (topic, key) == (topics.SESSION_FACTS, b"app_1")
    assert (fact.kind, fact.reason, fact.epoch) == (FactKind.DATA_DELETED, RETENTION, None)
    assert [world.step(CHECK_S) for _ in range(3)] == [1, 1, 1]
    assert world.step(AGAIN_S) == 2


def test_what_kafka_does_not_take_is_said_soon():
    world = World()
    world.error = QueueFull("full")
    assert world.step() == 0
    world.error = None
    assert world.step(CHECK_S) == 1
    world.error = Fatal("broken")
    with pytest.raises(Fatal):
        world.step(AGAIN_S)
