"""A transaction whose end nobody tells is a successor's matter; one that failed for good says so itself."""

from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException

from connectors.host.clock import SystemClock
from connectors.kafka.errors import Abort, Fatal, TimedOut
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import UNANSWERED, TransactionalProducer


class Passing(SystemClock):
    """Ten seconds pass at every look."""

    now_s = 0.0

    def monotonic(self) -> float:
        self.now_s += 10
        return self.now_s


class Library:
    """Every call fails with this error."""

    def __init__(self, error: LibraryError) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> "Library":
        return self

    def __call__(self, *_: object) -> None:
        raise KafkaException(self._error)


@pytest.fixture
def producer() -> Iterator[TransactionalProducer]:
    made = TransactionalProducer(KafkaSettings(bootstrap_servers="127.0.0.1:1"), "nobody", Passing())
    yield made
    made.close()


SILENCE = LibraryError(LibraryError._TIMED_OUT, "no answer", fatal=False, retriable=True)
UNDONE = LibraryError(LibraryError._STATE, "undone", fatal=False, retriable=False, txn_requires_abort=True)


def test_who_is_not_told_in_time_whether_it_is_committed_leaves(producer: TransactionalProducer) -> None:
    producer._library = Library(SILENCE)  # type: ignore[assignment]
    with pytest.raises(Fatal, match=f"{UNANSWERED} within 30 s"):
        producer.commit({}, None)  # type: ignore[arg-type]
    with pytest.raises(Fatal, match=UNANSWERED):
        producer.abort()


def test_what_is_to_be_undone_is_undone(producer: TransactionalProducer) -> None:
    producer._library = Library(UNDONE)  # type: ignore[assignment]
    with pytest.raises(Abort):
        producer.commit({}, None)  # type: ignore[arg-type]


def test_who_has_begun_nothing_yet_may_go_on_waiting(producer: TransactionalProducer) -> None:
    producer._library = Library(SILENCE)  # type: ignore[assignment]
    with pytest.raises(TimedOut):
        producer.init()
