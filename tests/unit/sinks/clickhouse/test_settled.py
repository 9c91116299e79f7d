"""For how long a session has been settled, by the log's clock and in its order."""

from dataclasses import replace

import pytest

from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.records import Deletion, ErasedPart
from schemas.topics import DAY_MS, HOUR_MS
from sinks.clickhouse.settled import Patience, SettledSessions
from tests.unit.connectors.kafka.test_deletions import SESSION

ERASED = Deletion(
    reason="asked", asked_at_ms=1,
    parts=tuple(ErasedPart(part=part, count=1, erased_at_ms=1) for part in ("objects", "records", "rows")),
)  # fmt: skip
DELETED = replace(SESSION, state="data_deleted", deletion=ERASED)
LIVE = replace(SESSION, state="connected")


class Log:
    """States are heard of; each has the next offset of its partition."""

    def __init__(self):
        self.settled, self.offset = SettledSessions(Patience(100, 300)), 0

    def hear(self, session_id, at_ms, state=SESSION, partition=0):
        self.offset += 1
        record = Record(topics.APP_SESSIONS.name, partition, self.offset, at_ms, session_id.encode(), b"")
        state = None if state is None else replace(state, session_id=session_id, folded_offset=self.offset * 10)
        self.settled.hear(record, state)

    def take(self, *partitions, most=10):
        return [settled.session_id for settled in self.settled.take(partitions or (0,), most)]


@pytest.fixture
def log():
    return Log()


def test_only_what_is_written_makes_anybody_older(log):
    log.hear("app_1", 1000)
    assert log.take() == []
    log.hear("app_2", 1099)
    assert log.take() == []
    log.hear("app_3", 1100, LIVE, partition=1)
    [taken] = log.settled.take([0], 10)
    assert (taken.session_id, taken.partition, taken.offset, taken.folded_offset) == ("app_1", 0, 1, 10)
    assert log.take() == [], "no second time"


def test_what_is_touched_becomes_young_and_what_lives_again_is_not_settled(log):
    for name in ("app_1", "app_2", "app_3"):
        log.hear(name, 1000)
    log.hear("app_1", 1050)
    log.hear("app_2", 1060, LIVE)
    log.hear("app_9", 1100, LIVE)
    assert log.take() == ["app_3"]
    log.hear("app_9", 1150, LIVE)
    assert log.take() == ["app_1"]


def test_of_which_something_was_deleted_stays_longer(log):
    log.hear("app_1", 1000, DELETED)
    log.hear("app_2", 1000, replace(SESSION, transcript_deletion=ERASED))
    log.hear("app_9", 1299, LIVE)
    assert log.take() == []
    log.hear("app_9", 1300, LIVE)
    assert log.take() == ["app_1", "app_2"]


def test_others_partitions_and_too_many_at_once_are_left(log):
    for number in range(5):
        log.hear(f"app_{number}", 1000, partition=number % 2)
    log.hear("app_9", 2000, LIVE)
    assert log.take(1) == ["app_1", "app_3"]
    assert [log.take(0, 1, most=2) for _ in range(3)] == [["app_0", "app_2"], ["app_4"], []]


def test_of_what_nothing_came_comes_again_unless_it_changed(log):
    for name in ("app_1", "app_2", "app_3"):
        log.hear(name, 1000)
    log.hear("app_9", 2000, LIVE)
    taken = log.settled.take([0], 10)
    log.hear("app_2", 2000)
    log.hear("app_3", 2001, None)
    assert log.settled.waiting() == 1
    log.settled.put_back(taken)
    assert log.take(1) == []
    assert log.take() == ["app_1"]
    assert log.settled.waiting() == 1


def test_what_is_archived_leaves_nothing_behind(log):
    for number in range(100):
        log.hear(f"app_{number}", 1000)
    log.hear("app_99", 2000)
    log.take(most=50)
    for number in range(100):
        log.hear(f"app_{number}", 2000, None)
    settled = log.settled
    assert not any(settled._queues.values())
    assert (settled._queue_of, settled._taken, settled._back) == ({}, {}, {})


def test_topics_say_how_long_something_may_come_late():
    least = Patience.least(KafkaSettings())
    assert 14 * DAY_MS < least.after_ms < 15 * DAY_MS
    assert 22 * DAY_MS < least.deleted_after_ms < 23 * DAY_MS
    longer = Patience.least(KafkaSettings(media_retention_ms=30 * DAY_MS))
    assert longer.after_ms > 37 * DAY_MS - HOUR_MS
    assert longer.deleted_after_ms > longer.after_ms
