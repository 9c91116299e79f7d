"""The library's errors become ours, once, with the right answer to "try again?"."""

import pytest
from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException

from connectors.kafka.errors import (
    Abort,
    DeliveryFailed,
    Fatal,
    KafkaError,
    NotMember,
    OffsetOutOfRange,
    QueueFull,
    RecordTooLarge,
    TimedOut,
    raise_for,
    translate,
)
from connectors.kafka.records import Place


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        (LibraryError._QUEUE_FULL, QueueFull, True),
        (LibraryError.MSG_SIZE_TOO_LARGE, RecordTooLarge, False),
        (LibraryError._TIMED_OUT, TimedOut, True),
        (LibraryError.ILLEGAL_GENERATION, NotMember, False),
        (LibraryError.UNKNOWN_MEMBER_ID, NotMember, False),
        (LibraryError._FENCED, Fatal, False),
        (LibraryError.FENCED_INSTANCE_ID, Fatal, False),
        (LibraryError.TOPIC_AUTHORIZATION_FAILED, KafkaError, False),
    ],
)
def test_codes(code: int, kind: type[KafkaError], retryable: bool) -> None:
    error = translate(KafkaException(LibraryError(code)))
    assert type(error) is kind
    assert error.retryable is retryable
    assert error.code


def test_fatal_comes_before_everything() -> None:
    error = LibraryError(LibraryError.ILLEGAL_GENERATION, "broken", fatal=True, txn_requires_abort=True)
    assert isinstance(translate(error), Fatal)


def test_an_older_broker_is_told_apart_and_the_setting_named() -> None:
    error = translate(
        LibraryError(LibraryError._FATAL, "API version not supported: ConsumerGroupHeartbeat fatal error")
    )
    assert isinstance(error, Fatal)
    assert "RTMS_KAFKA_GROUP_PROTOCOL=classic" in str(error)


def test_an_abortable_error_asks_for_the_abort() -> None:
    error = LibraryError(LibraryError.ILLEGAL_GENERATION, "moved", txn_requires_abort=True)
    assert isinstance(translate(error), Abort)


def test_a_delivery_that_timed_out_is_a_failed_delivery() -> None:
    assert isinstance(translate(LibraryError(LibraryError._MSG_TIMED_OUT), DeliveryFailed), DeliveryFailed)
    assert isinstance(translate(LibraryError(LibraryError._TIMED_OUT), DeliveryFailed), DeliveryFailed)


def test_a_reader_learns_that_retention_was_faster() -> None:
    place = Place("rtms.audio", 3)
    with pytest.raises(OffsetOutOfRange) as caught:
        raise_for(LibraryError(LibraryError._AUTO_OFFSET_RESET), place)
    assert caught.value.place == place


def test_a_lost_broker_is_no_readers_business() -> None:
    raise_for(LibraryError(LibraryError._TRANSPORT), Place("rtms.audio", 3))
    with pytest.raises(KafkaError, match="authorization failed"):
        raise_for(LibraryError(LibraryError.TOPIC_AUTHORIZATION_FAILED), Place("rtms.audio", 3))
