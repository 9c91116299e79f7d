"""One round after the other while something does not take a batch: paused, written again, and never stuck."""

from types import SimpleNamespace

import pytest

from connectors.host.health import Health
from connectors.host.signals import StopSignal
from connectors.kafka.errors import Fatal, OffsetOutOfRange, TimedOut
from connectors.kafka.records import BEGINNING, Place, Record
from schemas import topics
from sinks.clickhouse.erasing import Rows
from sinks.clickhouse.pending import Pending
from sinks.clickhouse.service import ClickHouseSink, Connections, Ownership
from sinks.clickhouse.settings import ClickHouseSinkSettings
from tests.support.memory_deletions import MemoryDeletions
from tests.support.memory_losses import MemoryLosses

MINE, OTHER = Place(topics.TRANSCRIPTS.name, 0), Place(topics.TRANSCRIPTS.name, 1)


class Clock:
    now_s = 0.0

    def monotonic(self):
        return self.now_s


class ScriptedConsumer:
    """Hands out what the test lays down, and fails to commit as often as it is told to."""

    def __init__(self):
        self.rounds, self.held, self.paused = [], {MINE, OTHER}, set()
        self.failures, self.committed, self.sought = [], {}, []

    def consume(self, *_, **__):
        found = self.rounds.pop(0) if self.rounds else []
        if isinstance(found, Exception):
            raise found
        return found

    def assignment(self):
        return frozenset(self.held)

    def commit(self, offsets):
        if self.failures:
            raise self.failures.pop(0)
        self.committed |= offsets

    def pause(self, places):
        self.paused |= set(places)

    def resume(self, places):
        self.paused -= set(places)

    def seek(self, place, offset):
        self.sought.append((place, offset))


@pytest.fixture
def house():
    consumer, pending, clock = ScriptedConsumer(), Pending(), Clock()
    decoder = SimpleNamespace(codec=None)
    losses = MemoryLosses()
    deletions = MemoryDeletions()
    rows, erasing = Rows(None), SimpleNamespace(step=lambda partitions: None)
    connections = Connections(consumer, pending, None, decoder, None, losses, 2, deletions, rows, erasing)
    health = Health("sink-clickhouse")
    health.ready(True)
    sink = ClickHouseSink(connections, ClickHouseSinkSettings(), health, StopSignal(), clock)
    return SimpleNamespace(sink=sink, consumer=consumer, pending=pending, clock=clock, health=health, losses=losses)


def tombstone(place, offset):
    """It needs neither ClickHouse nor the registry, only to be committed."""
    return Record(place.topic, place.partition, offset, 0, b"key", None)


def test_what_is_done_is_committed(house):
    house.consumer.rounds = [[tombstone(MINE, 4)]]
    house.sink.step()
    assert house.consumer.committed == {MINE: 5}


def test_a_batch_that_is_not_taken_pauses_everything_and_is_tried_again(house):
    house.consumer.rounds = [[tombstone(MINE, 4)]]
    house.consumer.failures = [TimedOut("away")]
    house.sink.step()
    assert house.consumer.paused == {MINE, OTHER}
    assert not house.health.is_ready()
    house.clock.now_s = 3600
    house.sink.step()
    assert (house.consumer.committed, house.consumer.paused) == ({MINE: 5}, set())
    assert house.health.is_ready()


def test_when_the_batch_moves_away_with_its_partition_the_others_go_on(house):
    house.consumer.rounds = [[tombstone(MINE, 4)]]
    house.consumer.failures = [TimedOut("away")]
    house.sink.step()
    Ownership(house.pending).on_revoked([MINE])
    house.consumer.held = {OTHER}
    house.sink.step()
    assert OTHER not in house.consumer.paused
    assert house.health.is_ready()


def test_what_retention_took_is_stated_before_the_rest_is_read(house):
    house.consumer.rounds = [OffsetOutOfRange(OTHER)]
    house.losses.errors = [TimedOut("away")]
    house.sink.step()
    house.sink.step()
    assert (house.losses.stated, house.consumer.sought) == ([], [])
    house.sink.step()
    assert (house.losses.stated, house.consumer.sought) == ([OTHER], [(OTHER, BEGINNING)])
    house.sink.step()
    assert len(house.losses.stated) == 1


def test_of_what_is_compacted_nothing_is_lost(house):
    states = Place(topics.APP_SESSIONS.name, 0)
    house.consumer.held.add(states)
    house.consumer.rounds = [OffsetOutOfRange(states)]
    house.sink.step()
    house.sink.step()
    assert (house.losses.stated, house.consumer.sought) == ([], [(states, BEGINNING)])


def test_a_client_that_is_broken_for_good_ends_the_process(house):
    house.consumer.rounds = [[tombstone(MINE, 4)]]
    house.consumer.failures = [Fatal("fenced")]
    with pytest.raises(Fatal):
        house.sink.step()
