"""A producer's first record to a partition goes alone (ADR 38).

A broker takes any sequence number from a producer of which it has nothing at a partition yet. When the first of several
batches on their way is turned away, because the leader is just changing, and the next one is taken, librdkafka 2.16
concludes that the first was stored, too, and reports it as delivered: it is lost. So nothing follows a first record
before brokers have it. From then on they turn away what does not follow, and the library sends it again in order.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException

from connectors.host.clock import Clock, SystemClock
from connectors.kafka.records import Place

FORGET_S = 3600.0
"""A partition is opened anew so often: brokers forget a producer that has been silent for a day (the default of
`producer.id.expiration.ms`)."""

PURGES = frozenset({LibraryError._PURGE_QUEUE, LibraryError._PURGE_INFLIGHT})
"""What is said of records that were thrown away."""

Produce = Callable[..., None]
"""`produce(topic, value, key, partition, report, **more)` of the library: raises BufferError when its queue is full."""

Report = Callable[[LibraryError | None, Any], None]
"""Called with an error or None, and something that has `topic()`, `partition()`, `offset()` and `value()`."""


class Unsent(NamedTuple):
    """In place of the library's message, for a record that never came into its queue."""

    place: Place
    payload: bytes | None

    def topic(self) -> str:
        return self.place.topic

    def partition(self) -> int:
        return self.place.partition

    def offset(self) -> int | None:
        return None

    def value(self) -> bytes | None:
        return self.payload


class _Held(NamedTuple):
    since_s: float
    value: bytes | None
    key: bytes | None
    report: Report
    more: Mapping[str, Any]


class _Failed(NamedTuple):
    place: Place
    item: _Held
    error: LibraryError | None


class _First(msgspec.Struct, frozen=True, gc=False):
    """The report on a record that goes alone: its own one first, so that order is kept."""

    openings: "Openings"
    place: Place
    report: Report

    def __call__(self, error: LibraryError | None, message: Any) -> None:
        try:
            self.report(error, message)
        finally:
            self.openings.settled(self.place, error)


class Openings:
    """Of one producer; any thread. What comes behind a first record is held here, up to `room_bytes` in all.

    `timeout_s`: what has waited for so long when a first record fails shares its fate, as it would have in the library.
    """

    def __init__(self, produce: Produce, timeout_s: float, room_bytes: int, clock: Clock | None = None) -> None:
        self._library = produce
        self._timeout_s = timeout_s
        self._room_bytes = room_bytes
        self._clock = clock or SystemClock()
        self._forgot_s = self._clock.monotonic()
        self._open: dict[str, set[int]] = {}
        self._held: dict[Place, deque[_Held]] = {}
        self._halted: dict[Place, LibraryError | None] = {}
        self._bytes = 0
        self._changed = threading.Condition(threading.RLock())

    def open(self, topic: str) -> set[int]:
        """The partitions of a topic to which records may go straight on; it stays current."""
        with self._changed:
            return self._open.setdefault(topic, set())

    def produce(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, report: Report, **more: Any
    ) -> None:
        """Queue one record. Raises what the library does; BufferError also when too much is held."""
        is_open = self._open.get(topic) or self.open(topic)
        if partition in is_open:
            self._library(topic, value, key, partition, report, **more)
            return
        place, item = Place(topic, partition), _Held(self._clock.monotonic(), value, key, report, more)
        with self._changed:
            if partition in is_open:
                self._library(topic, value, key, partition, report, **more)
            elif place in self._held:
                self._hold(place, item)
            else:
                self._send_first(place, item)
                self._held[place] = deque()

    def settled(self, place: Place, error: LibraryError | None) -> None:
        """A first record was taken, or not."""
        with self._changed:
            failed = self._after(place, error)
        _tell(failed)

    def go_on(self) -> None:
        """What did not find room in the library's queue, once more; and forget what is open when it is time."""
        with self._changed:
            self._forget_in_time()
            halted, self._halted = self._halted, {}
            failed = [one for place, error in halted.items() for one in self._after(place, error)]
        _tell(failed)

    def refuse(self) -> None:
        """Nothing that is held and waits for room will be sent; what waits for a first record shares its fate."""
        with self._changed:
            halted, self._halted = self._halted, {}
            purged = LibraryError(LibraryError._PURGE_QUEUE)
            failed = [one for place in halted for one in self._close(place, purged)]
        _tell(failed)

    @property
    def held(self) -> int:
        """Records that are not in the library's queue yet."""
        with self._changed:
            return sum(map(len, self._held.values()))

    def wait(self, timeout_s: float) -> None:
        """Until something that was held has gone on, or for that long."""
        with self._changed:
            if self._held:
                self._changed.wait(timeout_s)

    def _hold(self, place: Place, item: _Held) -> None:
        size = len(item.value or b"")
        if self._bytes + size > self._room_bytes:
            raise BufferError("too much waits for the first record of a partition")
        self._bytes += size
        self._held[place].append(item)

    def _send_first(self, place: Place, item: _Held) -> None:
        report = _First(self, place, item.report)
        self._library(place.topic, item.value, item.key, place.partition, report, **item.more)

    def _forget_in_time(self) -> None:
        if self._clock.monotonic() - self._forgot_s > FORGET_S:
            self._forgot_s = self._clock.monotonic()
            for partitions in self._open.values():
                partitions.clear()

    def _after(self, place: Place, error: LibraryError | None) -> list[_Failed]:
        """What was held behind a first record goes on; what does not, because it fails."""
        if error is None:
            return self._follow(place)
        if error.code() in PURGES:
            return self._close(place, error)
        return self._next(place, error)

    def _follow(self, place: Place) -> list[_Failed]:
        """All that is held goes on; one that the library does not want fails alone."""
        held, failed = self._held[place], list[_Failed]()
        while held:
            item = held[0]
            try:
                self._library(place.topic, item.value, item.key, place.partition, item.report, **item.more)
            except BufferError:
                self._halted[place] = None
                return failed
            except KafkaException as failure:
                failed.append(_Failed(place, item, failure.args[0]))
            self._take(held)
        self._close(place)
        self._open[place.topic].add(place.partition)
        return failed

    def _next(self, place: Place, error: LibraryError) -> list[_Failed]:
        """The next one that is not too old, and that the library wants, goes alone."""
        held, failed, now_s = self._held[place], list[_Failed](), self._clock.monotonic()
        while held:
            if now_s - held[0].since_s >= self._timeout_s:
                failed.append(_Failed(place, self._take(held), error))
                continue
            try:
                self._send_first(place, held[0])
            except BufferError:
                self._halted[place] = error
                return failed
            except KafkaException as failure:
                failed.append(_Failed(place, self._take(held), failure.args[0]))
            else:
                self._take(held)
                return failed
        return failed + self._close(place, error)

    def _take(self, held: deque[_Held]) -> _Held:
        item = held.popleft()
        self._bytes -= len(item.value or b"")
        return item

    def _close(self, place: Place, error: LibraryError | None = None) -> list[_Failed]:
        """Nothing of it is held any more; what was fails with `error`."""
        held = self._held.pop(place, None) or deque()
        self._changed.notify_all()
        return [_Failed(place, self._take(held), error) for _ in range(len(held))]


def _tell(failed: Sequence[_Failed]) -> None:
    """In order, and each of them, whatever a report raises; then that is raised."""
    with ExitStack() as telling:
        for place, item, error in reversed(failed):
            telling.callback(item.report, error, Unsent(place, item.value))
