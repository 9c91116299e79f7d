"""A view knows exactly how far it has seen."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka.connection import FETCH_WAIT_MS
from connectors.kafka.producer import Producer
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from connectors.kafka.view import TopicView
from schemas.topics import Cleanup, Topic
from tests.integration.kafka.conftest import PATIENCE_S, until

Closing = Callable[[Any], Any]


class Copy:
    """What the view's records add up to."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.order: list[tuple[int, int]] = []

    def apply(self, record: Record) -> None:
        if record.value == b"bad":
            raise ValueError("a record that nobody foresaw")
        self.order.append((record.partition, record.offset))
        key = record.key or b""
        if record.value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = record.value


@pytest.fixture
def compacted(make_topic: Callable[..., Topic]) -> Topic:
    return make_topic(Cleanup.COMPACT)


@pytest.fixture
def copy() -> Copy:
    return Copy()


@pytest.fixture
def view(settings: KafkaSettings, compacted: Topic, copy: Copy, closing: Closing) -> TopicView:
    return closing(TopicView(settings, compacted, copy.apply))


def test_ready_means_that_everything_from_before_was_applied(
    view: TopicView, copy: Copy, producer: Producer, compacted: Topic
) -> None:
    for number in range(200):
        producer.send(compacted, b"%d" % (number % 40), b"%d" % number, number % 4)
    producer.flush(PATIENCE_S)
    assert not view.ready
    view.start()
    until(lambda: view.ready, "ready")
    assert len(copy.order) == 200
    assert copy.values[b"39"] == b"199"
    assert view.positions() == dict.fromkeys(range(4), 50)


def test_an_empty_topic_is_ready(view: TopicView) -> None:
    view.start()
    until(lambda: view.ready, "ready")


async def test_waiting_for_ones_own_record(view: TopicView, copy: Copy, producer: Producer, compacted: Topic) -> None:
    view.start()
    waits_ms = []
    for number in range(50):
        offset = await producer.send_acked(compacted, b"k", b"%d" % number, 3)
        started = time.monotonic()
        assert await view.wait_until_async(3, offset, PATIENCE_S)
        waits_ms.append((time.monotonic() - started) * 1000)
        assert copy.values[b"k"] == b"%d" % number
    assert sorted(waits_ms)[12] < FETCH_WAIT_MS, "who waits for a fetch to find nothing waits for so long each time"


async def test_what_does_not_come_is_not_waited_for_longer(view: TopicView) -> None:
    view.start()
    assert await view.wait_until_async(0, 0, 0.05) is False
    assert view.wait_until(0, 0, 0.05) is False


def test_the_end_as_of_now_is_reached_behind_transaction_markers(
    view: TopicView, copy: Copy, settings: KafkaSettings, compacted: Topic, group: str, closing: Closing
) -> None:
    view.start()
    assert view.wait_to_end(PATIENCE_S)
    transactions = closing(TransactionalProducer(settings, group))
    transactions.init()
    for number in range(3):
        transactions.begin()
        transactions.send(compacted, b"k", b"%d" % number, 0)
        transactions._retry(transactions._library.commit_transaction, PATIENCE_S)
        started = time.monotonic()
        assert view.wait_to_end(PATIENCE_S)
        assert time.monotonic() - started < PATIENCE_S / 3
        assert copy.values[b"k"] == b"%d" % number


def test_tombstones_and_records_that_cannot_be_applied(
    view: TopicView, copy: Copy, producer: Producer, compacted: Topic
) -> None:
    view.start()
    for value in (b"1", b"bad", None, b"2"):
        producer.send(compacted, b"k", value, 1)
    assert producer.flush(PATIENCE_S) == 0
    assert view.wait_to_end(PATIENCE_S)
    assert copy.values == {b"k": b"2"}
    assert copy.order == [(1, 0), (1, 2), (1, 3)]


def test_a_view_of_some_partitions_sees_no_others(
    settings: KafkaSettings, compacted: Topic, copy: Copy, producer: Producer, closing: Closing
) -> None:
    view = closing(TopicView(settings, compacted, copy.apply, partitions=[2]))
    view.start()
    for number in range(4):
        producer.send_blocking(compacted, b"%d" % number, b"x", number)
    assert view.wait_to_end(PATIENCE_S)
    assert copy.values == {b"2": b"x"}


async def test_closing_tells_those_who_wait(settings: KafkaSettings, compacted: Topic, copy: Copy) -> None:
    view = TopicView(settings, compacted, copy.apply).start()
    waiting = asyncio.create_task(view.wait_until_async(0, 5, 10 * PATIENCE_S))
    await asyncio.sleep(0)
    await asyncio.to_thread(view.close)
    assert await asyncio.wait_for(waiting, PATIENCE_S) is False
    assert view.wait_until(0, 5, 30) is False
