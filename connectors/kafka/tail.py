"""Follows whole topics from their ends on, for whoever wants to hear of single keys as they are written.

What makes it exact is `join`: it names the offset from which on everything that is wanted is handed over. What stands
before that offset can be read from the log; so the two together have neither a hole nor anything twice.
"""

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from connectors.host.logs import get_logger
from connectors.kafka.errors import KafkaError, OffsetOutOfRange
from connectors.kafka.metrics import VIEW_FAILURES
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import Reader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.topics import Topic

log = get_logger(__name__)

_ASK_S = 2.0
_REST_S = 0.5


class Hearer:
    """Who is told; all calls come from the tail's thread, in log order per partition."""

    def wants(self, record: Record) -> bool:
        """Whether `take` is to get the record. Called for every one, under the tail's lock: look, do not work."""
        raise NotImplementedError

    def take(self, record: Record) -> None:
        """A record that was wanted. May wait: the tail is then late, and loses nothing."""
        raise NotImplementedError

    def lost(self, place: Place) -> None:
        """The tail was away for so long that records were deleted unread: it goes on from the partition's end."""
        raise NotImplementedError


class _Waiting(NamedTuple):
    place: Place
    offset: int
    passed: Callable[[], None]


class Tail:
    """All partitions of some topics, by one consumer outside of any group."""

    def __init__(self, settings: KafkaSettings, topics: Iterable[Topic], hearer: Hearer) -> None:
        self._to_begin = {
            Place(topic.name, number) for topic in topics for number in range(settings.partition_count(topic))
        }
        self._hearer = hearer
        self._reader = Reader(settings, "tail")
        self._directory = OffsetDirectory(settings)
        self._lock = threading.Lock()
        self._next: dict[Place, int] = {}
        self._waiting: list[_Waiting] = []
        self._stopping = threading.Event()
        self._is_blind = False
        self._thread = threading.Thread(target=self._run, name="tail", daemon=True)

    def start(self) -> "Tail":
        """Begin to follow."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop; nothing is handed over any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._reader.close()

    @property
    def is_ready(self) -> bool:
        """Whether it knows where the topics ended when it began."""
        return bool(self._next)

    def join(self, place: Place, register: Callable[[], None]) -> int | None:
        """The offset from which on `take` gets what `wants` wants once `register` was called; None before it is ready.

        Both happen at once: no record falls between.
        """
        with self._lock:
            register()
            return self._next.get(place)

    def when_passed(self, place: Place, offset: int, passed: Callable[[], None]) -> None:
        """Call `passed`, in the tail's thread, once everything before `offset` has been handed over."""
        with self._lock:
            self._waiting.append(_Waiting(place, offset, passed))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._to_begin:
                    self._begin()
                self._step()
                self._is_blind = False
            except OffsetOutOfRange as error:
                log.warning("tail was overtaken by retention", topic=error.place.topic, partition=error.place.partition)
                self._to_begin.add(error.place)
            except KafkaError as error:
                self._on_failure(error)
            except Exception:  # a tail that stopped would be taken for silence
                VIEW_FAILURES.labels("tail").inc()
                log.exception("tail failed")
                self._stopping.wait(_REST_S)

    def _begin(self) -> None:
        """Go on from where these partitions end now, and as before with all others."""
        is_first = not self._next
        ends = self._directory.ends(self._to_begin, _ASK_S)
        self._reader.assign(self._reader.positions() | ends)
        with self._lock:
            self._next |= ends
        overtaken, self._to_begin = self._to_begin, set()
        for place in () if is_first else overtaken:
            self._hearer.lost(place)

    def _on_failure(self, error: KafkaError) -> None:
        """Said once, however long it lasts."""
        if not self._is_blind:
            self._is_blind = True
            log.warning("tail cannot read", code=error.code)
        self._stopping.wait(_REST_S)

    def _step(self) -> None:
        for record in self._reader.consume():
            with self._lock:
                self._next[record.place] = record.offset + 1
                is_wanted = self._hearer.wants(record)
            if is_wanted:
                self._hand_over(record)
        with self._lock:
            self._next |= self._reader.positions()
            passed = [entry for entry in self._waiting if self._next[entry.place] >= entry.offset]
            self._waiting = [entry for entry in self._waiting if self._next[entry.place] < entry.offset]
        for entry in passed:
            entry.passed()

    def _hand_over(self, record: Record) -> None:
        try:
            self._hearer.take(record)
        except Exception:  # one bad record must not silence all that follow
            VIEW_FAILURES.labels("tail").inc()
            log.exception(
                "a record could not be handed over",
                topic=record.topic, partition=record.partition, offset=record.offset,
            )  # fmt: skip
