"""A live copy of a compacted topic: a thread that applies every record to the caller's state, in log order.

What the view knows is exact: for each partition, up to which offset it has applied. So a caller can wait until the view
has seen a record it wrote itself, or everything that was in the topic when a question was asked.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError

from connectors.host.clock import Clock, SystemClock
from connectors.kafka.connection import CALM_FETCH_WAIT_MS, FETCH_WAIT_MS
from connectors.kafka.errors import KafkaError, TimedOut
from connectors.kafka.reader_thread import ReaderThread
from connectors.kafka.records import BEGINNING, Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.topics import Topic

_ASK_S = 2.0

Apply = Callable[[Record], None]
"""Called in the view's thread, one record after the other; a tombstone has value None."""


class TopicView(ReaderThread):
    """Follows all (or the given) partitions of one topic from their beginning."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: Topic,
        apply: Apply,
        partitions: Iterable[int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        # Of what is viewed, only sessions are written in transactions: an end may stand behind a marker.
        super().__init__(settings, f"view-{topic.name}", FETCH_WAIT_MS if topic.per_session else CALM_FETCH_WAIT_MS)
        self._topic = topic
        self._apply = apply
        self._clock = clock or SystemClock()
        numbers = range(settings.partition_count(topic)) if partitions is None else partitions
        self._positions = {Place(topic.name, number): 0 for number in numbers}
        self._lock = threading.Lock()
        self._waiting: list[tuple[dict[Place, int], Future[None]]] = []
        self._first_ends: dict[Place, int] | None = None
        self._ready = threading.Event()
        # Threads of their own: a store that hangs may have all that a process shares.
        self._asking = ThreadPoolExecutor(thread_name_prefix=f"view-{topic.name}-end")

    def close(self) -> None:
        """Stop reading; whoever waits is told no."""
        super().close()
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            future.cancel()

    @property
    def ready(self) -> bool:
        """Whether the view has once reached the end."""
        return self._ready.is_set()

    def positions(self) -> dict[int, int]:
        """By partition, the offset after the last one applied (or known to hold no record)."""
        with self._lock:
            return {place.partition: offset for place, offset in self._positions.items()}

    def wait_until(self, partition: int, offset: int, timeout_s: float) -> bool:
        """Wait until the record at `offset` has been applied; false when it was not in time."""
        return _settled(self._reached({Place(self._topic.name, partition): offset + 1}), timeout_s)

    async def wait_until_async(self, partition: int, offset: int, timeout_s: float) -> bool:
        """`wait_until` for coroutines."""
        return await _settled_async(self._reached({Place(self._topic.name, partition): offset + 1}), timeout_s)

    def wait_to_end(self, timeout_s: float) -> bool:
        """Wait until everything that is in the topic now has been applied; false when it was not in time."""
        deadline = self._clock.monotonic() + timeout_s
        try:
            ends = self._directory.ends(self._positions, timeout_s)
        except KafkaError:
            return False
        return _settled(self._reached(ends), max(0.0, deadline - self._clock.monotonic()))

    def wait_to_stable_end(self, partitions: Iterable[int], timeout_s: float) -> None:
        """Wait until all has been applied that anybody could have read of these partitions when this was called.

        Raises TimedOut when it was not in time, and KafkaError.
        """
        deadline = self._clock.monotonic() + timeout_s
        wanted = [place for place in self._positions if place.partition in frozenset(partitions)]
        ends = self._directory.stable_ends(wanted, timeout_s)
        if not _settled(self._reached(ends), max(0.0, deadline - self._clock.monotonic())):
            raise TimedOut(f"{self._topic.name} is not known up to now")

    async def wait_to_end_async(self, timeout_s: float) -> bool:
        """`wait_to_end` for coroutines."""
        return await asyncio.get_running_loop().run_in_executor(self._asking, self.wait_to_end, timeout_s)

    def _reached(self, targets: dict[Place, int]) -> "Future[None]":
        future: Future[None] = Future()
        with self._lock:
            if self._holds(targets):
                future.set_result(None)
            elif self._stopping.is_set():
                future.cancel()
            else:
                self._waiting.append((targets, future))
        return future

    def _holds(self, targets: dict[Place, int]) -> bool:
        return all(self._positions[place] >= offset for place, offset in targets.items())

    def _prepare(self) -> None:
        if not self._reader.positions():
            self._reader.assign(dict.fromkeys(self._positions, BEGINNING))
        if self._first_ends is None:
            self._first_ends = self._directory.ends(self._positions, _ASK_S)

    def _take(self, record: Record) -> None:
        self._apply(record)

    def _advance(self) -> None:
        with self._lock:
            self._positions |= self._reader.positions()
            done = [entry for entry in self._waiting if self._holds(entry[0])]
            self._waiting = [entry for entry in self._waiting if not self._holds(entry[0])]
        for _, future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(None)
        if self._first_ends is not None and not self._ready.is_set() and self._holds(self._first_ends):
            self._ready.set()

    def _overtaken(self, place: Place) -> None:
        """Only compaction's leavings can be gone, so going on with what exists is exact."""
        self._reader.assign(self._positions | {place: BEGINNING})


def _settled(future: "Future[None]", timeout_s: float) -> bool:
    try:
        future.result(timeout_s)
    except (FutureTimeoutError, CancelledError):
        future.cancel()
        return False
    return True


async def _settled_async(future: "Future[None]", timeout_s: float) -> bool:
    done, _ = await asyncio.wait([asyncio.wrap_future(future)], timeout=timeout_s)
    if not done or future.cancelled():
        future.cancel()
        return False
    return True
