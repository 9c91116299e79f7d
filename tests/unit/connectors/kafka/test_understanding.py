"""A group member's records while the registry is away: what it alone can explain is put back, the rest goes on."""

from collections.abc import Mapping

import pytest

from connectors.host.health import Health
from connectors.host.waiting import RETRY_S, Waiting
from connectors.kafka import decoder as decoding
from connectors.kafka.decoder import Decoder
from connectors.kafka.records import Place, Record
from connectors.kafka.registry import NotRegistered, RegistryError
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.understanding import Understanding, Understood
from schemas import topics
from schemas.codec import Codec, framed, schema_text
from schemas.keys import FOREIGN_KEY
from schemas.records import FactKind, SessionFact

FACT = SessionFact(session_id="app_1", kind=FactKind.CLAIMED, source="test")
OURS, THEIRS = (Codec.with_ids_from([topics.SESSION_FACTS], start=start) for start in (1, 77))
NOBODYS = 99
HERE, THERE = Place(topics.SESSION_FACTS.name, 0), Place(topics.SESSION_FACTS.name, 1)


class Member:
    """Remembers what was put back."""

    def __init__(self) -> None:
        self.held = {HERE, THERE}
        self.back: list[tuple[Mapping[Place, int], float]] = []

    def assignment(self) -> frozenset[Place]:
        return frozenset(self.held)

    def put_back(self, offsets: Mapping[Place, int], rest_s: float) -> None:
        self.back.append((dict(offsets), rest_s))


class Registry:
    """Knows everything, or is away; asked how often?"""

    def __init__(self) -> None:
        self.is_away, self.asked = True, 0

    def learn(self, _settings: KafkaSettings, codec: Codec, schema_id: int) -> None:
        self.asked += 1
        if self.is_away:
            raise RegistryError("registry unreachable", retryable=True)
        if schema_id == NOBODYS:
            raise NotRegistered("no such schema")
        codec.learn(schema_id, schema_text(topics.SESSION_FACTS.schema))


class Hand:
    time_s = 100.0

    def now_ms(self) -> int:
        return 0

    def now_us(self) -> int:
        return 0

    def monotonic(self) -> float:
        return self.time_s


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(decoding, "learn_schema", registry.learn)
    return registry


@pytest.fixture
def health() -> Health:
    health = Health("test")
    health.ready(True)
    return health


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def member() -> Member:
    return Member()


@pytest.fixture
def understanding(registry: Registry, health: Health, clock: Hand, member: Member) -> Understanding:
    codec = Codec.with_ids_from([topics.SESSION_FACTS], start=1)
    decoder = Decoder(KafkaSettings(), codec, Waiting("registry", health), clock)
    return Understanding(member, decoder)  # type: ignore[arg-type]


def record(place: Place, offset: int, value: bytes | None, key: bytes = b"app_1") -> Record:
    return Record(place.topic, place.partition, offset, 0, key, value)


def ours(place: Place, offset: int) -> Record:
    return record(place, offset, OURS.encode(topics.SESSION_FACTS, FACT))


def theirs(place: Place, offset: int) -> Record:
    return record(place, offset, THEIRS.encode(topics.SESSION_FACTS, FACT))


def test_what_is_known_what_is_deleted_and_what_is_no_record(understanding: Understanding, member: Member) -> None:
    known, tombstone = ours(HERE, 1), record(HERE, 2, None)
    foreign = record(HERE, 3, OURS.encode(topics.SESSION_FACTS, FACT), key=b"app_2")
    garbage = record(HERE, 4, b"garbage")
    assert list(understanding.of([known, tombstone, foreign, garbage])) == [
        Understood(known, FACT),
        Understood(tombstone, None),
        Understood(foreign, None, FOREIGN_KEY),
        Understood(garbage, None, "no Confluent header"),
    ]
    assert member.back == []


def test_the_partition_waits_from_that_record_on_and_the_others_go_on(
    understanding: Understanding, member: Member, health: Health
) -> None:
    batch = [ours(HERE, 1), theirs(HERE, 2), ours(HERE, 3), ours(THERE, 8)]
    assert [item.record for item in understanding.of(batch)] == [batch[0], batch[3]]
    assert member.back == [({HERE: 2}, RETRY_S)]
    status, report = health.ready_report()
    assert status == 503
    assert report["conditions"]["registry"]["reason"] == "waiting for registry: registry unreachable"


def test_when_the_registry_is_back_nothing_was_skipped(
    understanding: Understanding, registry: Registry, health: Health, clock: Hand
) -> None:
    list(understanding.of([theirs(HERE, 2)]))
    list(understanding.of([]))
    assert not health.is_ready()
    registry.is_away, clock.time_s = False, 101.0
    found = list(understanding.of([theirs(HERE, 2), ours(HERE, 3)]))
    assert [(item.record.offset, item.value) for item in found] == [(2, FACT), (3, FACT)]
    assert health.is_ready()


def test_what_has_moved_away_is_not_waited_for_any_more(
    understanding: Understanding, member: Member, health: Health
) -> None:
    list(understanding.of([theirs(HERE, 2)]))
    member.held = {THERE}
    list(understanding.of([]))
    assert health.is_ready()


def test_a_registry_that_takes_long_not_to_answer_is_asked_once_for_all_partitions(
    understanding: Understanding, registry: Registry, clock: Hand, member: Member
) -> None:
    list(understanding.of([theirs(HERE, 2), theirs(THERE, 5)]))
    assert (registry.asked, member.back[0][0]) == (1, {HERE: 2, THERE: 5})
    clock.time_s += RETRY_S
    list(understanding.of([theirs(HERE, 2)]))
    assert registry.asked == 2


def test_an_id_that_nobody_knows_is_a_dead_letter(understanding: Understanding, registry: Registry) -> None:
    registry.is_away = False
    [found] = understanding.of([record(HERE, 2, framed(NOBODYS, b"x"))])
    assert found.refusal == f"unknown schema id {NOBODYS}"
