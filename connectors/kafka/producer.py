"""Sends records: idempotent, acknowledged by all in-sync replicas, to the partition the caller names.

A producer has one poller thread that serves delivery callbacks, so a callback runs in that thread and must be quick
and never raise. What the profiles differ in was measured: 5 ms of linger halve the broker's work against none, 20 ms
cost a video nothing, and a control record must not wait at all. Nobody waits for the fate of a frame: where reports are
gathered, the poller takes the interpreter from whoever sends fifty times a second instead of with every answer.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import msgspec
from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException, Message
from confluent_kafka import Producer as LibraryProducer

from connectors.host.clock import SystemClock
from connectors.host.logs import get_logger
from connectors.kafka.brokers import give_back
from connectors.kafka.connection import LIBRARY_LOG, Connection
from connectors.kafka.errors import DeliveryFailed, Fatal, KafkaError, QueueFull, TimedOut, translate
from connectors.kafka.guard import Guard
from connectors.kafka.metrics import CALLBACK_FAILURES, DELIVERED, DELIVERY_FAILED, QUEUED
from connectors.kafka.opening import PURGES, Openings
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.stranded import Lookout, shown
from connectors.kafka.stuck import LOOK_S
from connectors.kafka.traced import traced
from schemas.topics import MAX_BATCH_BYTES, Topic

log = get_logger(__name__)

_GO_ON_S = 0.05

OnDelivery = Callable[[KafkaError | None, int], None]
"""Called from the poller thread with (None, offset) or (error, -1)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of traffic is batched."""

    name: str
    linger_ms: int
    compression: str = "none"
    batch_bytes: int = 1_000_000
    gather_reports_ms: int = 0
    """How long delivery reports may wait for each other."""


MEDIA = Profile("media", linger_ms=5, gather_reports_ms=20)
VIDEO = Profile("video", linger_ms=20, gather_reports_ms=20)
SEGMENTS = Profile("segments", linger_ms=5)
TEXT = Profile("text", linger_ms=5, compression="gzip")
CONTROL = Profile("control", linger_ms=0, compression="gzip")


def producer_config(settings: KafkaSettings, profile: Profile) -> dict[str, Any]:
    """librdkafka's configuration for `profile`; pure, so that tests can read it."""
    return settings.client_config() | {
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "linger.ms": profile.linger_ms,
        "batch.size": profile.batch_bytes,
        "compression.type": profile.compression,
        "message.max.bytes": MAX_BATCH_BYTES,
        "queue.buffering.max.kbytes": settings.queue_kbytes,
        "queue.buffering.max.messages": 500_000,
        "delivery.timeout.ms": settings.delivery_timeout_ms,
        "retry.backoff.ms": 20,
        "retry.backoff.max.ms": 1_000,
    }


class _Report(msgspec.Struct, frozen=True, gc=False):
    """What the library calls with a record's fate.

    There is one for every record on its way, thousands at times. The garbage collector must not look through them
    again and again, so this is no closure but a Struct that it does not see; nothing in it refers back to it.
    """

    producer: "Producer"
    on_delivery: OnDelivery | None

    def __call__(self, error: LibraryError | None, message: Message) -> None:
        self.producer.delivered(self.on_delivery, error, message)


class Account:
    """What became of records of one topic, for who sends thousands a second: no callback is made for each of them.

    `sent` is written by who sends; `settled` and `refused`, the values of what brokers did not take, by the poller.
    """

    __slots__ = ("_open", "_opening", "_produce", "_producer", "_topic", "refused", "sent", "settled")

    def __init__(self, producer: "Producer", produce: Callable[..., None], openings: Openings, topic: Topic) -> None:
        self._producer = producer
        self._produce = produce
        self._opening = openings.produce
        self._open = openings.open(topic.name)
        self._topic = topic.name
        self.sent = self.settled = 0
        self.refused: deque[bytes] = deque()

    def send(self, key: bytes, value: bytes, partition: int) -> None:
        """Queue one record. Raises what `Producer.send` does."""
        produce = self._produce if partition in self._open else self._opening
        try:
            produce(self._topic, value, key, partition, self)
        except (BufferError, KafkaException) as failure:
            raise self._producer.refusal(failure) from failure
        self.sent += 1

    def __call__(self, error: LibraryError | None, message: Message) -> None:
        """The library's report on one record."""
        if error is None:
            self._producer.count_delivered(self._topic)
        else:
            self.refused.append(message.value() or b"")
            self._producer.count_failed(self._topic, error)
        self.settled += 1


class Producer:
    """One connection that sends; safe to use from any thread. `acknowledged` counts what brokers have taken."""

    def __init__(self, settings: KafkaSettings, profile: Profile) -> None:
        self._profile = profile
        self._brokers = settings.bootstrap_servers
        self._delivery_timeout_s = settings.delivery_timeout_ms / 1000
        self._clock = SystemClock()
        self._connection = Connection(f"producer-{profile.name}")
        guard = Guard(settings, f"producer-{profile.name}", self.give_up)
        lookout = Lookout(f"producer-{profile.name}", self.rescue)
        looks = shown(LOOK_S, lookout.look, guard.look, self._connection.look)
        config = producer_config(settings, profile) | self._connection.config() | looks
        self._library = LibraryProducer(config, logger=LIBRARY_LOG)
        self._openings = Openings(
            self._library.produce, self._delivery_timeout_s, settings.queue_kbytes * 1024, self._clock
        )
        self.acknowledged = 0
        self._delivered: deque[str] = deque()
        self.count_delivered = self._delivered.append
        self._purged: deque[str] = deque()
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._poll, name=f"producer-{profile.name}", daemon=True)
        self._poller.start()

    def send(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        partition: int,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """Queue one record; `value` None is a tombstone.

        Raises:
            QueueFull: nothing was queued, try again when something was delivered.
            RecordTooLarge: it will never fit.
            Fatal: this producer is broken for good.
        """
        self._refuse_when_broken()
        try:
            self._openings.produce(topic.name, value, key, partition, _Report(self, on_delivery), **traced(topic, key))
        except (BufferError, KafkaException) as failure:
            raise self.refusal(failure) from failure

    def refusal(self, failure: BufferError | KafkaException) -> KafkaError:
        """Why the library did not queue a record."""
        if isinstance(failure, BufferError):
            return QueueFull("local send queue is full", code="_QUEUE_FULL")
        error = translate(failure, DeliveryFailed)
        if isinstance(error, Fatal):
            self._connection.on_fatal(error)
        return error

    def account(self, topic: Topic) -> Account:
        """A new one, for records that are sent through it."""
        return Account(self, self._library.produce, self._openings, topic)

    def send_future(self, topic: Topic, key: bytes | None, value: bytes | None, partition: int) -> "Future[int]":
        """Like `send`; the future gets the record's offset or the error."""
        future: Future[int] = Future()

        def settle(error: KafkaError | None, offset: int) -> None:
            if future.set_running_or_notify_cancel():
                future.set_result(offset) if error is None else future.set_exception(error)

        self.send(topic, key, value, partition, settle)
        return future

    async def send_acked(self, topic: Topic, key: bytes, value: bytes | None, partition: int) -> int:
        """Send and wait for the acknowledgement; the record's offset. Raises what `send` does, and DeliveryFailed."""
        return await asyncio.wrap_future(self.send_future(topic, key, value, partition))

    def send_blocking(self, topic: Topic, key: bytes | None, value: bytes | None, partition: int) -> int:
        """`send_acked` for threads."""
        try:
            return self.send_future(topic, key, value, partition).result(self._delivery_timeout_s + 5)
        except TimeoutError:
            raise TimedOut("no delivery report within the delivery time-out") from None

    def flush(self, timeout_s: float) -> int:
        """Wait until everything queued was delivered or failed; how many records are left after the time."""
        deadline = self._clock.monotonic() + timeout_s
        try:
            while True:
                held = self._openings.held  # asked first: what goes on meanwhile is in the library afterwards
                left = int(self._library.flush(max(0.0, deadline - self._clock.monotonic())))
                if left or not held or self._clock.monotonic() >= deadline:
                    return left + self._openings.held
                self._openings.wait(_GO_ON_S)
        except KafkaException:  # broken for good: what is queued stays undelivered, `connection.fatal` says why
            return self.queued

    def poll(self, timeout_s: float = 0.0) -> None:
        """Serve callbacks in this thread too, e.g. while waiting for room in the queue."""
        self._library.poll(timeout_s)

    def purge(self) -> None:
        """Throw away what is queued or in flight; the callbacks get their error."""
        self._openings.refuse()
        self._library.purge()

    def rescue(self) -> None:
        """It has lost all brokers, and has them again; where that cannot be done, the guard tells."""
        give_back(self._library, self._brokers)

    def give_up(self, error: Fatal) -> None:
        """It is broken for good: who sends is told, and who waits for an answer. Does not wait for it."""
        self._connection.on_fatal(error)
        self._openings.refuse()
        self._library.purge(blocking=False)

    def close(self, timeout_s: float = 10.0) -> int:
        """Flush and stop; how many records were left undelivered."""
        left = self.flush(timeout_s)
        if left:
            self.purge()
            left = self.flush(1.0)
        self._stopping.set()
        self._poller.join()
        self._state_delivered()
        return len(self._purged) or left  # the library's own count has other events among the records, e.g. statistics

    @property
    def queued(self) -> int:
        """Records sent and not yet delivered or failed; for a moment also what else the library has to say."""
        held = self._openings.held  # asked first: what goes on meanwhile is counted twice rather than not at all
        return held + len(self._library)

    @property
    def connection(self) -> Connection:
        """Whether brokers are reached, and whether this producer is broken for good."""
        return self._connection

    def _poll(self) -> None:
        gauge, gather_s = QUEUED.labels(self._profile.name), self._profile.gather_reports_ms / 1000
        while not self._stopping.is_set():
            try:
                self._openings.go_on()
                self._library.poll(0.1)
            except KafkaException as failure:
                self._on_failure(translate(failure))
            except Exception:  # a caller's callback raised; without this thread nothing would be delivered any more
                CALLBACK_FAILURES.inc()
                log.exception("delivery callback failed", producer=self._profile.name)
            self._state_delivered()
            gauge.set(self.queued)
            if gather_s:
                self._stopping.wait(gather_s)

    def _on_failure(self, error: KafkaError) -> None:
        if isinstance(error, Fatal):
            self._connection.on_fatal(error)
        else:
            log.warning("producer cannot send", producer=self._profile.name, code=error.code)

    def delivered(self, on_delivery: OnDelivery | None, error: LibraryError | None, message: Message) -> None:
        """The library's report on one record that has a callback of its own."""
        topic = message.topic() or ""
        if error is None:
            self.count_delivered(topic)
            if on_delivery is not None:
                offset = message.offset()
                on_delivery(None, -1 if offset is None else offset)
            return
        self.count_failed(topic, error)
        if on_delivery is not None:
            on_delivery(self._broken() or translate(error, DeliveryFailed), -1)

    def _broken(self) -> Fatal | None:
        """Anew each time: an error that is raised again carries where it was raised before."""
        fatal = self._connection.fatal
        return None if fatal is None else Fatal(str(fatal), code=fatal.code)

    def _refuse_when_broken(self) -> None:
        if (error := self._broken()) is not None:
            raise error

    def count_failed(self, topic: str, error: LibraryError) -> None:
        """A record of this topic was not taken."""
        if error.code() in PURGES:
            self._purged.append(topic)
        DELIVERY_FAILED.labels(topic, error.name()).inc()

    def _state_delivered(self) -> None:
        """Once for all records of a poll: a metric takes a lock each time."""
        topics = [self._delivered.popleft() for _ in range(len(self._delivered))]
        if topics:
            self.acknowledged += len(topics)
            self._connection.on_success()
        for topic, records in Counter(topics).items():
            DELIVERED.labels(topic).inc(records)


def create_producer(settings: KafkaSettings, profile: Profile) -> Producer:
    """A running producer; close it."""
    return Producer(settings, profile)
