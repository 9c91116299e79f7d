"""Records arrive where and as they were sent, and every way not to arrive has its error."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka.errors import DeliveryFailed, KafkaError, QueueFull, RecordTooLarge
from connectors.kafka.producer import CONTROL, MEDIA, TEXT, VIDEO, Producer, Profile, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.topics import MAX_RECORD_BYTES, Topic
from tests.integration.kafka.conftest import PATIENCE_S, until

Closing = Callable[[Any], Any]


def everything(settings: KafkaSettings, topic: Topic, closing: Closing) -> list[Record]:
    loader = closing(PartitionLoader(settings))
    return list(loader.load([Place(topic.name, number) for number in range(settings.partitions)], PATIENCE_S))


@pytest.mark.parametrize("profile", [MEDIA, VIDEO, TEXT, CONTROL], ids=lambda profile: profile.name)
async def test_acknowledged_offsets_are_the_records_offsets(
    settings: KafkaSettings, topic: Topic, closing: Closing, profile: Profile
) -> None:
    producer = closing(create_producer(settings, profile))
    offsets = [await producer.send_acked(topic, b"key", b"value %d" % number, 2) for number in range(5)]
    assert offsets == [0, 1, 2, 3, 4]
    records = everything(settings, topic, closing)
    assert [(r.partition, r.offset, r.key, r.value) for r in records] == [
        (2, number, b"key", b"value %d" % number) for number in range(5)
    ]


async def test_the_largest_record_arrives_and_a_larger_one_is_refused(
    settings: KafkaSettings, producer: Producer, topic: Topic, closing: Closing
) -> None:
    largest = os.urandom(MAX_RECORD_BYTES)
    await producer.send_acked(topic, b"key", largest, 0)
    with pytest.raises(RecordTooLarge):
        await producer.send_acked(topic, b"key", bytes(MAX_RECORD_BYTES * 2), 0)
    (record,) = everything(settings, topic, closing)
    assert record.value == largest


def test_a_tombstone_has_no_value(producer: Producer, settings: KafkaSettings, topic: Topic, closing: Closing) -> None:
    producer.send_blocking(topic, b"key", None, 1)
    (record,) = everything(settings, topic, closing)
    assert record.value is None


def test_a_callback_that_raises_does_not_stop_the_others(producer: Producer, topic: Topic) -> None:
    def broken(_error: KafkaError | None, _offset: int) -> None:
        raise RuntimeError("a bug in the caller")

    producer.send(topic, b"key", b"1", 0, broken)
    assert producer.send_blocking(topic, b"key", b"2", 0) == 1


async def test_many_threads_lose_nothing(
    producer: Producer, settings: KafkaSettings, topic: Topic, closing: Closing
) -> None:
    def work(number: int) -> None:
        for value in range(250):
            producer.send(topic, b"%d" % number, b"%d" % value, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert producer.flush(PATIENCE_S) == 0
    records = everything(settings, topic, closing)
    for number in range(4):
        assert [int(r.value or b"") for r in records if r.partition == number] == list(range(250))


def test_an_unreachable_broker_is_a_failed_delivery_within_the_time_out(topic: Topic, closing: Closing) -> None:
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1", delivery_timeout_ms=1_000)
    producer = closing(create_producer(nowhere, CONTROL))
    started = time.monotonic()
    with pytest.raises(DeliveryFailed):
        producer.send_blocking(topic, b"key", b"value", 0)
    assert time.monotonic() - started < PATIENCE_S, "by itself it would have waited for two minutes"
    assert not producer.connection.is_up


def test_a_full_queue_is_back_pressure_and_close_says_what_was_left(topic: Topic) -> None:
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1", queue_kbytes=32_768)
    producer = create_producer(nowhere, MEDIA)
    failures: list[str] = []

    def note(error: KafkaError | None, _offset: int) -> None:
        assert error is not None
        failures.append(error.code)

    sent = 0

    def fill() -> None:
        nonlocal sent
        while sent < 100:
            producer.send(topic, b"key", bytes(4_000_000), 0, note)
            sent += 1

    with pytest.raises(QueueFull):
        fill()
    assert 5 <= sent < 10
    until(lambda: producer.queued == sent, "the records are what is queued")
    assert producer.close(0.1) == sent
    assert failures == ["_PURGE_QUEUE"] * sent
