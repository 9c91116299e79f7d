"""A thread that reads on and on outlasts also what goes wrong while it deals with what went wrong."""

import threading
from collections import deque

import pytest

from connectors.kafka.errors import KafkaError, OffsetOutOfRange
from connectors.kafka.reader_thread import ReaderThread
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from tests.support.processes import PATIENCE_S

PLACE = Place("app-sessions", 0)


class Overtaken(ReaderThread):
    """Retention was faster, once; what is to be done then fails at first."""

    def __init__(self, failures: list[Exception]) -> None:
        super().__init__(KafkaSettings(), "overtaken")
        self._errors, self._failures = deque([OffsetOutOfRange(PLACE)]), deque(failures)
        self.asked: list[Place] = []
        self.reads = threading.Event()

    def _prepare(self) -> None:
        if self._errors:
            raise self._errors.popleft()

    def _take(self, record: Record) -> None:
        """Nothing comes."""

    def _advance(self) -> None:
        self.reads.set()

    def _overtaken(self, place: Place) -> None:
        self.asked.append(place)
        if self._failures:
            raise self._failures.popleft()


@pytest.mark.parametrize("failure", [KafkaError("away"), OffsetOutOfRange(PLACE), ValueError("anything")], ids=repr)
def test_a_partition_that_was_overtaken_is_read_again_once_that_succeeds(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.kafka.reader_thread._REST_S", 0.01)
    thread = Overtaken([failure, failure]).start()
    try:
        assert thread.reads.wait(PATIENCE_S), "nobody reads any more"
    finally:
        thread.close()
    assert thread.asked == [PLACE] * 3
