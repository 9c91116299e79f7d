"""Archived is what ClickHouse was seen to have, and it is said again while nothing comes of it."""

from types import SimpleNamespace

import pytest

from connectors.clickhouse.errors import ClickHouseError
from connectors.host.configuration import NotConfigured
from connectors.kafka.errors import Fatal, QueueFull
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec
from schemas.records import FactKind
from schemas.topics import DAY_MS
from sinks.clickhouse.archiving import AGAIN_S, CHECK_S, Archiving, patience
from sinks.clickhouse.settings import ClickHouseSinkSettings
from tests.unit.sinks.clickhouse.test_settled import LIVE, Log

CODEC = Codec.with_ids_from(topics.ALL)


class World:
    """A clock, a ClickHouse with `rows` (session to offset), a producer; two sessions that are due."""

    def __init__(self):
        self.now_s, self.sent, self.errors = 0.0, [], []
        self.log = Log()
        self.log.hear("app_1", 1000)
        self.log.hear("app_2", 1000)
        self.log.hear("app_9", 5000, LIVE)
        self.rows = {"app_1": 1, "app_2": 2}
        clock = SimpleNamespace(monotonic=lambda: self.now_s)
        self.archiving = Archiving(self.log.settled, self, self, SimpleNamespace(codec=CODEC), clock)

    def query(self, sql, parameters, patience_s):
        if self.errors:
            raise self.errors.pop()
        assert patience_s == 0
        found = {name: self.rows[name] for name in parameters["session_ids"] if name in self.rows}
        return [{"session_id": name, "newest": newest} for name, newest in found.items()]

    def send(self, topic, key, data, partition):
        if self.errors:
            raise self.errors.pop()
        self.sent.append((topic, key, partition, CODEC.decode(topic, data)))

    def step(self, after_s=CHECK_S):
        self.now_s += after_s
        self.archiving.step({0})
        return [key.decode() for _, key, _, _ in self.sent]


@pytest.fixture
def world():
    return World()


def test_the_very_state_is_named_on_the_sessions_own_partition(world):
    assert world.step() == ["app_1", "app_2"]
    topic, _, partition, fact = world.sent[0]
    assert (topic, partition) == (topics.SESSION_FACTS, 0)
    assert (fact.kind, fact.folded_offset, fact.source) == (FactKind.ARCHIVED, 10, "sink-clickhouse")


@pytest.mark.parametrize("rows", [{}, {"app_1": 0, "app_2": 1}])
def test_what_clickhouse_lacks_or_has_older_stays_on_the_log(world, rows):
    world.rows = rows
    assert world.step() == []
    world.rows = {"app_1": 1, "app_2": 2}
    assert world.step() == [], "others have their turn first"
    assert world.step(AGAIN_S) == ["app_1", "app_2"]


def test_it_is_said_again_until_it_is_seen(world):
    world.step()
    world.log.hear("app_1", 5001, None)
    assert world.step() == ["app_1", "app_2"]
    assert world.step(AGAIN_S) == ["app_1", "app_2", "app_2"]


@pytest.mark.parametrize("error", [ClickHouseError("away", code=0, name="x"), QueueFull("full")])
def test_what_cannot_be_asked_or_said_is_tried_soon(world, error):
    world.errors = [error]
    assert world.step() == []
    assert world.step() == ["app_1", "app_2"]


def test_a_producer_that_is_broken_for_good_ends_the_process(world):
    world.errors = [Fatal("broken")]
    with pytest.raises(Fatal):
        world.step()


def test_a_time_that_contradicts_the_topics_is_refused_in_words():
    kafka = KafkaSettings()
    set_to = lambda days: patience(ClickHouseSinkSettings(archive_after_days=days), kafka)  # noqa: E731
    least = patience(ClickHouseSinkSettings(), kafka)
    assert set_to(30).after_ms == set_to(30).deleted_after_ms == 30 * DAY_MS
    assert set_to(15).deleted_after_ms == least.deleted_after_ms > 15 * DAY_MS
    with pytest.raises(NotConfigured, match=r"AFTER_DAYS is 14, but .* for 14\.\d days: set it to that or"):
        set_to(14)
