"""What the Kafka tests share: settings for the session's broker, topics of their own, closing what was opened."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import pytest

from connectors.kafka.producer import CONTROL, Producer, create_producer
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import TopicAdmin
from deploy.local.broker.broker import Broker
from deploy.local.server import Server
from schemas.topics import HOUR_MS, Cleanup, Topic
from tests.support.sharing import Shared
from tests.support.stack import Log, open_whole_log

PARTITIONS = 4
PATIENCE_S = 60.0


class Closable(Protocol):
    def close(self) -> Any: ...


_Closable = TypeVar("_Closable", bound=Closable)


HOME = Shared(open_whole_log)
"""Broker and registry for all modules: topics and groups are every test's own, and who stops a broker starts it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    HOME.close_after(item, nextitem)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return HOME.get(tmp_path_factory)


@pytest.fixture(scope="module")
def settings(kafka: Broker, registry: Server) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=kafka.bootstrap,
        registry_url=registry.url,
        partitions=PARTITIONS,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=300,
        transaction_timeout_ms=30_000,  # no transaction is undone because the machine is busy
    )


@pytest.fixture
def make_topic(settings: KafkaSettings) -> Callable[..., Topic]:
    admin = TopicAdmin(settings)

    def make(cleanup: Cleanup = Cleanup.DELETE) -> Topic:
        topic = Topic(f"test-{uuid.uuid4().hex[:12]}", "utterance.v1", cleanup, HOUR_MS)
        admin.apply(admin.inspect([topic]))
        return topic

    return make


@pytest.fixture
def topic(make_topic: Callable[..., Topic]) -> Topic:
    return make_topic()


@pytest.fixture
def group() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def closing() -> Iterator[Callable[[_Closable], _Closable]]:
    """`closing(thing)` closes it after the test, the last first."""
    opened: list[Closable] = []

    def remember(thing: _Closable) -> _Closable:
        opened.append(thing)
        return thing

    yield remember
    for thing in reversed(opened):
        thing.close()


@pytest.fixture
def producer(settings: KafkaSettings, closing: Callable[[Producer], Producer]) -> Producer:
    return closing(create_producer(settings, CONTROL))


class Consumes(Protocol):
    def consume(self) -> list[Record]: ...


def read(consumer: Consumes, count: int, timeout_s: float = PATIENCE_S) -> list[Record]:
    """At least `count` records, or a failure that says how many came."""
    deadline = time.monotonic() + timeout_s
    records: list[Record] = []
    while len(records) < count:
        assert time.monotonic() < deadline, f"{len(records)} of {count} records after {timeout_s} s"
        records += consumer.consume()
    return records


def until(condition: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Call `condition` until it is true; it may do work (e.g. consume)."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)
