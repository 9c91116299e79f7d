"""A thread that reads partitions on and on, outside of any group, and outlasts what happens: outages, a bad record."""

import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Self

from connectors.host.logs import get_logger
from connectors.kafka.connection import FETCH_WAIT_MS
from connectors.kafka.errors import KafkaError, OffsetOutOfRange
from connectors.kafka.metrics import READER_FAILURES
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import Reader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings

log = get_logger(__name__)

_REST_S = 0.5


class ReaderThread(ABC):
    """What a view and a tail share. All that a subclass writes here is called in its thread."""

    def __init__(self, settings: KafkaSettings, name: str, fetch_wait_ms: int = FETCH_WAIT_MS) -> None:
        self._name = name
        self._reader = Reader(settings, name, fetch_wait_ms, is_polled=True)
        self._directory = OffsetDirectory(settings)
        self._stopping = threading.Event()
        self._is_blind = False
        self._gone: deque[Place] = deque()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def _prepare(self) -> None:
        """What has to be known before a step; asked before each, and again when it fails with a KafkaError."""

    @abstractmethod
    def _take(self, record: Record) -> None:
        """The next record. What it raises is logged, and the record passed over."""

    @abstractmethod
    def _advance(self) -> None:
        """All that was consumed has been taken: the reader's positions are true."""

    @abstractmethod
    def _overtaken(self, place: Place) -> None:
        """The records at the reader's position are gone. Called again when it fails."""

    def start(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop; nothing is taken any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._reader.close()

    @property
    def is_connected(self) -> bool:
        """Whether brokers are reached; while they are not, what is known is as old as the last record."""
        return self._reader.connection.is_up

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except KafkaError as error:
                self._on_failure(error)
            except Exception:  # one that stopped would be taken for silence
                READER_FAILURES.labels(self._name).inc()
                log.exception("reader failed", client=self._name)
                self._stopping.wait(_REST_S)

    def _round(self) -> None:
        """A place that was overtaken is dealt with until that has succeeded: the library reads nothing there before."""
        while self._gone:
            self._overtaken(self._gone[0])
            self._gone.popleft()
        try:
            self._prepare()
            self._step()
            self._is_blind = False
        except OffsetOutOfRange as error:
            place = error.place
            log.warning("overtaken by retention", client=self._name, topic=place.topic, partition=place.partition)
            self._gone.append(place)

    def _on_failure(self, error: KafkaError) -> None:
        """Said once, however long it lasts."""
        if not self._is_blind:
            self._is_blind = True
            log.warning("reader cannot read", client=self._name, code=error.code)
        self._stopping.wait(_REST_S)

    def _step(self) -> None:
        for record in self._reader.consume():
            try:
                self._take(record)
            except Exception:  # one bad record must not silence all that follow
                READER_FAILURES.labels(self._name).inc()
                log.exception(
                    "a record could not be taken",
                    client=self._name, topic=record.topic, partition=record.partition, offset=record.offset,
                )  # fmt: skip
        self._advance()
