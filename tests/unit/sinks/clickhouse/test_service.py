"""One round after the other while something does not take a batch: paused, written again, and never stuck."""

from collections import Counter
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from connectors.host.health import Health
from connectors.host.signals import StopSignal
from connectors.kafka.errors import Fatal, OffsetOutOfRange, TimedOut
from connectors.kafka.records import BEGINNING, Place, Record
from schemas import topics
from schemas.codec import Codec
from schemas.deletion import Part
from schemas.keys import item_key
from schemas.records import FactKind, OutputKind, Utterance
from sinks.clickhouse.pending import Pending
from sinks.clickhouse.service import ClickHouseSink, Connections, Ownership
from sinks.clickhouse.settings import ClickHouseSinkSettings
from tests.support.memory_deletions import MemoryDeletions, deleted
from tests.support.memory_losses import MemoryLosses

CODEC = Codec.with_ids_from(topics.ALL)
FACTS = topics.SESSION_FACTS.name
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

    def put_back(self, offsets, _rest_s):
        self.sought += offsets.items()


class MemoryTable:
    """Rows by session, and what was done to them in order."""

    def __init__(self):
        self.rows, self.history = set(), []

    def insert(self, _table, rows, patience_s):
        self.rows |= {row["session_id"] for row in rows}
        self.history.append("insert")

    def delete(self, sessions, patience_s):
        self.rows -= {session.session_id for session in sessions}
        self.history += ["delete"] if sessions else []

    def count(self, sessions, patience_s):
        return Counter(session.session_id for session in sessions if session.session_id in self.rows)


class MemoryLog:
    def __init__(self):
        self.sent = []
        self.when_sent = lambda: None

    def send_future(self, topic, key, data, partition):
        self.when_sent()
        self.sent.append((topic.name, key, data, partition))
        future = Future()
        future.set_result(0)
        return future


@pytest.fixture
def house():
    consumer, pending, clock = ScriptedConsumer(), Pending(), Clock()
    decoder = SimpleNamespace(codec=CODEC, decode=CODEC.decode)
    losses = MemoryLosses()
    deletions = MemoryDeletions()
    table = MemoryTable()
    rows, idle = SimpleNamespace(delete=table.delete, count=table.count), SimpleNamespace(step=lambda partitions: None)
    log, silent = MemoryLog(), [SimpleNamespace(left=lambda content, patience_s: [])] * 4
    connections = Connections(
        consumer, pending, log, decoder, table, losses, 2, deletions, rows, *silent, idle, idle, idle
    )
    health = Health("sink-clickhouse")
    health.ready(True)
    sink = ClickHouseSink(connections, ClickHouseSinkSettings(), health, StopSignal(), clock)
    return SimpleNamespace(
        sink=sink, consumer=consumer, pending=pending, clock=clock, health=health, losses=losses, deletions=deletions,
        table=table, log=log,
    )  # fmt: skip


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


def said(offset, session_id="app_1"):
    value = Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id="utt_1", start_ms=1, text="word")
    return Record(*MINE, offset, 0, item_key(session_id, "utt_1"), CODEC.encode(topics.TRANSCRIPTS, value))


def test_what_is_deleted_is_no_row_and_no_record_any_more(house):
    """Even where a predecessor had made a row of it."""
    house.deletions.known = {"app_1": deleted()}
    house.table.rows = {"app_1"}
    house.consumer.rounds = [[said(4), said(5, "app_2")]]
    house.sink.step()
    assert house.table.rows == {"app_2"}
    assert house.log.sent[1:] == [(topics.TRANSCRIPTS.name, b"app_1|utt_1", None, 0)]
    assert house.consumer.committed == {MINE: 6}


def test_what_is_deleted_while_it_is_written_is_read_again_and_erased(house):
    """The sink did not know when it read it, and nobody who erased has seen the row."""
    house.deletions.stated = {"app_1": deleted()}
    batch = [said(4), said(5, "app_2")]
    house.consumer.rounds = [batch]
    house.sink.step()
    assert (house.consumer.committed, house.consumer.sought) == ({}, [(MINE, 4)])
    assert {topic for topic, *_ in house.log.sent} == {FACTS}
    house.consumer.rounds = [batch]
    house.sink.step()
    assert house.table.rows == {"app_2"}
    assert house.table.history == ["insert", "delete", "insert", "delete"]
    assert house.consumer.committed == {MINE: 6}
    assert [data for topic, _, data, _ in house.log.sent if topic == topics.TRANSCRIPTS.name] == [None]
    assert most_found(house) == 1


def most_found(house):
    facts = [CODEC.decode(topics.SESSION_FACTS, data) for topic, _, data, _ in house.log.sent if topic == FACTS]
    assert {(fact.session_id, fact.kind, fact.part) for fact in facts} == {("app_1", FactKind.DATA_FOUND, Part.ROWS)}
    return max(fact.stored.count for fact in facts)


def test_rows_are_counted_before_they_go(house):
    """Else the receipt says that there were none: whoever erases a session comes after who has just written it."""
    house.deletions.known = {"app_1": deleted()}
    house.table.rows = {"app_1"}
    found = []
    house.log.when_sent = lambda: found.append("app_1" in house.table.rows)
    house.consumer.rounds = [[said(4)]]
    house.sink.step()
    assert (found[0], most_found(house), house.table.rows) == (True, 1, set())


def test_rows_of_what_is_erased_are_not_counted_again(house):
    house.deletions.known = {"app_1": deleted()._replace(missing=frozenset())}
    house.consumer.rounds = [[said(4)]]
    house.sink.step()
    assert [topic for topic, *_ in house.log.sent] == [topics.TRANSCRIPTS.name]


def test_rows_of_what_is_deleted_do_not_wait_for_a_partition_to_be_read_again_that_has_moved_away(house):
    """Who was frozen before its insert wakes when its successor has erased: nobody else will look for these rows."""
    house.consumer.put_back = lambda _offsets, _rest_s: None
    house.deletions.stated = {"app_1": deleted()}
    house.consumer.rounds = [[said(4), said(5, "app_2")]]
    house.sink.step()
    house.consumer.held = set()
    house.sink.step()
    assert house.table.rows == {"app_2"}
    assert house.consumer.committed == {}


def test_while_nobody_can_say_what_is_deleted_nothing_is_committed(house):
    house.deletions.errors = [TimedOut("away")]
    house.consumer.rounds = [[said(4)]]
    house.sink.step()
    assert (house.consumer.committed, house.health.is_ready()) == ({}, False)
    house.clock.now_s = 3600
    house.sink.step()
    assert house.consumer.committed == {MINE: 5}


def test_the_end_of_a_deleted_session_is_not_stated(house):
    house.deletions.known = {"app_1": deleted()}
    end = CODEC.encode(topics.TRANSCRIPTS, Utterance(session_id="app_1", kind=OutputKind.END, count=1))
    house.consumer.rounds = [[Record(*MINE, 4, 0, item_key("app_1", "end"), end)]]
    house.sink.step()
    assert [sent[0] for sent in house.log.sent] == [FACTS, topics.TRANSCRIPTS.name]
    assert most_found(house) == 0
    assert house.consumer.committed == {MINE: 5}
