"""Follows whole topics from their ends on, for whoever wants to hear of single keys as they are written.

What makes it exact is `join`: it names the offset from which on everything that is wanted is handed over. What stands
before that offset can be read from the log; so the two together have neither a hole nor anything twice.
"""

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from connectors.kafka.reader_thread import ReaderThread
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.topics import Topic

_ASK_S = 2.0


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


class Tail(ReaderThread):
    """All partitions of some topics, by one consumer outside of any group."""

    def __init__(self, settings: KafkaSettings, topics: Iterable[Topic], hearer: Hearer) -> None:
        super().__init__(settings, "tail")
        self._to_begin = {
            Place(topic.name, number) for topic in topics for number in range(settings.partition_count(topic))
        }
        self._hearer = hearer
        self._lock = threading.Lock()
        self._next: dict[Place, int] = {}
        self._waiting: list[_Waiting] = []

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

    def _prepare(self) -> None:
        """Go on from where overtaken partitions, at first all, end now, and as before with the others."""
        if not self._to_begin:
            return
        is_first = not self._next
        ends = self._directory.ends(self._to_begin, _ASK_S)
        self._reader.assign(self._reader.positions() | ends)
        with self._lock:
            self._next |= ends
        overtaken, self._to_begin = self._to_begin, set()
        for place in () if is_first else overtaken:
            self._hearer.lost(place)

    def _take(self, record: Record) -> None:
        with self._lock:
            self._next[record.place] = record.offset + 1
            is_wanted = self._hearer.wants(record)
        if is_wanted:
            self._hearer.take(record)

    def _advance(self) -> None:
        with self._lock:
            self._next |= self._reader.positions()
            passed = [entry for entry in self._waiting if self._next[entry.place] >= entry.offset]
            self._waiting = [entry for entry in self._waiting if self._next[entry.place] < entry.offset]
        for entry in passed:
            entry.passed()

    def _overtaken(self, place: Place) -> None:
        self._to_begin.add(place)
