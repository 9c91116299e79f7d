"""A live copy of a compacted topic: a thread that applies every record to the caller's state, in log order.

What the view knows is exact: for each partition, up to which offset it has applied. So a caller can wait until the view
has seen a record it wrote itself, or everything that was in the topic when a question was asked.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from connectors.host.clock import Clock, SystemClock
from connectors.host.logs import get_logger
from connectors.kafka.errors import KafkaError, OffsetOutOfRange, TimedOut
from connectors.kafka.metrics import VIEW_FAILURES
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import Reader
from connectors.kafka.records import BEGINNING, Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.topics import Topic

log = get_logger(__name__)

_ASK_S = 2.0

Apply = Callable[[Record], None]
"""Called in the view's thread, one record after the other; a tombstone has value None."""


class TopicView:
    """Follows all (or the given) partitions of one topic from their beginning."""

    def __init__(
        self,
        settings: KafkaSettings,
        topic: Topic,
        apply: Apply,
        partitions: Iterable[int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._topic = topic
        self._apply = apply
        self._clock = clock or SystemClock()
        numbers = range(settings.partition_count(topic)) if partitions is None else partitions
        self._positions = {Place(topic.name, number): 0 for number in numbers}
        self._reader = Reader(settings, f"view-{topic.name}")
        self._directory = OffsetDirectory(settings)
        self._lock = threading.Lock()
        self._waiting: list[tuple[dict[Place, int], Future[None]]] = []
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._is_blind = False
        self._thread = threading.Thread(target=self._run, name=f"view-{topic.name}", daemon=True)

    def start(self) -> "TopicView":
        """Begin to read; `ready` turns true once everything that was there at first has been applied."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop reading; whoever waits is told no."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._reader.close()
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            future.cancel()

    @property
    def ready(self) -> bool:
        """Whether the view has once reached the end."""
        return self._ready.is_set()

    @property
    def is_connected(self) -> bool:
        """Whether brokers are reached; while they are not, the view is as old as its last record."""
        return self._reader.connection.is_up

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
        return await asyncio.to_thread(self.wait_to_end, timeout_s)

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

    def _run(self) -> None:
        self._reader.assign(dict.fromkeys(self._positions, BEGINNING))
        first_ends: dict[Place, int] | None = None
        while not self._stopping.is_set():
            try:
                if first_ends is None:
                    first_ends = self._directory.ends(self._positions, _ASK_S)
                self._step()
                self._is_blind = False
            except OffsetOutOfRange as error:
                # Only compaction's leavings can be gone, so going on with what exists is exact.
                log.warning("view restarts a partition", topic=error.place.topic, partition=error.place.partition)
                self._reader.assign(self._positions | {error.place: BEGINNING})
            except KafkaError as error:
                self._on_failure(error)
                self._stopping.wait(0.5)
            except Exception:  # a view that stopped would be taken for an old truth
                VIEW_FAILURES.labels(self._topic.name).inc()
                log.exception("view failed", topic=self._topic.name)
                self._stopping.wait(0.5)
            if first_ends is not None and not self._ready.is_set() and self._holds(first_ends):
                self._ready.set()

    def _on_failure(self, error: KafkaError) -> None:
        """Said once, however long it lasts."""
        if not self._is_blind:
            self._is_blind = True
            log.warning("view cannot read", topic=self._topic.name, code=error.code)

    def _step(self) -> None:
        for record in self._reader.consume():
            try:
                self._apply(record)
            except Exception:  # one bad record must not blind the view to all that follow
                VIEW_FAILURES.labels(self._topic.name).inc()
                log.exception(
                    "view could not apply a record",
                    topic=record.topic, partition=record.partition, offset=record.offset,
                )  # fmt: skip
        with self._lock:
            self._positions |= self._reader.positions()
            done = [entry for entry in self._waiting if self._holds(entry[0])]
            self._waiting = [entry for entry in self._waiting if not self._holds(entry[0])]
        for _, future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(None)


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
