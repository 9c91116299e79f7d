"""Consume, decide, produce as one: outputs and input offsets become visible together or not at all.

Three things that were paid for in lost seconds: `retry.backoff.ms` must be small, because the next transaction starts
before the markers of the last are written and the retry waits that long; the time-out must be shorter than the group's
session; and the membership must be the one taken at assignment. Between `begin` and `commit` do no work and no waiting:
an open transaction holds back every reader of the partitions it wrote to.
"""

import contextlib
import warnings
from collections.abc import Callable
from typing import Any, Self

from confluent_kafka import KafkaException
from confluent_kafka import Producer as LibraryProducer

from connectors.host.clock import Clock, SystemClock
from connectors.kafka.connection import LIBRARY_LOG, Connection
from connectors.kafka.consumer import Membership
from connectors.kafka.errors import Abort, Fatal, KafkaError, translate
from connectors.kafka.guard import broken
from connectors.kafka.leaders import led
from connectors.kafka.records import Offsets, Place, library_offsets
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.stuck import Undoing
from connectors.kafka.traced import traced
from schemas.topics import MAX_BATCH_BYTES, Topic

DELIVERY_SHARE = 0.6
"""Of a transaction's time, for Kafka to take its records: what comes to nothing is undone by us, before the coordinator
does it. Whoever comes after the coordinator is taken for a predecessor and has to leave."""

UNANSWERED = "Kafka has not said how a transaction ended"


def transactional_config(settings: KafkaSettings, transactional_id: str) -> dict[str, Any]:
    """librdkafka's configuration of a transactional producer; pure, so that tests can read it."""
    return settings.client_config() | {
        "transactional.id": transactional_id,
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        "delivery.timeout.ms": round(DELIVERY_SHARE * settings.transaction_timeout_ms),
        "partitioner": "murmur2_random",
        "retry.backoff.ms": 5,
        "linger.ms": 0,
        "compression.type": "gzip",
        "message.max.bytes": MAX_BATCH_BYTES,
        "queue.buffering.max.kbytes": settings.queue_kbytes,
        # Starting over from the bootstrap servers (the default) gives the group coordinator's broker up while it is
        # still asked for offsets: the first transaction after an outage then hangs for ever. Seen with librdkafka 2.16.
        "metadata.recovery.strategy": "none",
    }


class TransactionalProducer:
    """One transaction at a time, from one thread. A second process with the same id fences this one: Fatal."""

    def __init__(self, settings: KafkaSettings, transactional_id: str, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._connection = Connection(f"transactions-{transactional_id}")
        config = transactional_config(settings, transactional_id) | self._connection.config()
        self._library = LibraryProducer(config, logger=LIBRARY_LOG)
        self._timeout_s = settings.transaction_timeout_ms / 1000
        self._settings = settings
        self._undoing = Undoing()
        self._written: set[Place] = set()

    @classmethod
    def registered(cls, settings: KafkaSettings, transactional_id: str, timeout_s: float) -> Self:
        """A new client that has registered its id; for who tries again, with an error that leaves nothing behind.

        A client whose brokers were taken away while it waited for an answer is not given others (see the
        configuration), so each attempt has its own. One that came to nothing is ended before that is said: its
        registration goes on in the background, and would fence its successor.
        """
        producer = cls(settings, transactional_id)
        try:
            producer.init(timeout_s)
        except BaseException:
            producer._end_client()
            raise
        return producer

    def init(self, timeout_s: float = 60.0) -> None:
        """Register the id, ending what a predecessor left open. Before everything else, once."""
        self._retry(self._library.init_transactions, timeout_s)

    def begin(self) -> None:
        """Open a transaction."""
        self._call(self._library.begin_transaction)
        self._written.clear()

    def send(self, topic: Topic, key: bytes, value: bytes | None, partition: int) -> None:
        """Add one record. Raises RecordTooLarge, Abort or Fatal."""
        self._written.add(Place(topic.name, partition))
        try:
            self._produce(topic, key, value, partition)
        except KafkaException as error:
            raise translate(error, Abort) from error

    def commit(self, offsets: Offsets, membership: Membership, timeout_s: float = 30.0) -> None:
        """Add the input offsets (next to read) and make it all visible.

        Raises:
            Abort: call `abort`, then seek the inputs back and do the work again.
            Fatal: leave the process; the transaction is over for this producer. Also when nobody says in time whether
                it is committed: a successor learns it.
        """
        group = library_offsets(offsets)
        self._end(lambda timeout: self._library.send_offsets_to_transaction(group, membership, timeout), timeout_s)
        self._end(self._library.commit_transaction, timeout_s)
        self._undoing.committed()
        self._connection.on_success()

    def abort(self, timeout_s: float = 30.0) -> None:
        """Make the open transaction as if it had never been.

        Raises:
            Fatal: leave the process. Also when the broker had not heard of the transaction yet: nothing of it is there;
                and when nothing but this was done for long although all partitions could be written to.
        """
        self._end(self._library.abort_transaction, timeout_s)
        if self._undoing.aborted(self._clock.monotonic()) and self._written == led(self._settings, self._written):
            error = broken(self._written)
            self._connection.on_fatal(error)
            raise error

    @property
    def connection(self) -> Connection:
        """Whether brokers are reached, and whether this producer is broken for good."""
        return self._connection

    def close(self) -> None:
        """Serve what is outstanding; an open transaction is left to its time-out or the successor."""
        with contextlib.suppress(KafkaException):  # a fenced producer has nothing left to say
            self._library.flush(1.0)

    def _end_client(self) -> None:
        """As the last reference to it would, but now: the error on its way holds one."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Producer abort_transaction failed")  # there is none to abort
            self._library.close()

    def _produce(self, topic: Topic, key: bytes, value: bytes | None, partition: int) -> None:
        deadline = self._clock.monotonic() + self._timeout_s
        while True:
            try:
                self._library.produce(topic.name, value, key, partition, **traced(topic, key))
                return
            except BufferError:
                if self._clock.monotonic() > deadline:
                    raise Abort("local send queue stayed full", code="_QUEUE_FULL") from None
                self._library.poll(0.05)

    def _end(self, call: Callable[[float], Any], timeout_s: float) -> None:
        try:
            self._retry(call, timeout_s)
        except (Abort, Fatal):
            raise
        except KafkaError as error:
            raise Fatal(f"{UNANSWERED} within {timeout_s:g} s: {error}", code=error.code) from error

    def _retry(self, call: Callable[[float], Any], timeout_s: float) -> None:
        """Call until it succeeds, fails for good or the time is up; what is neither abort nor retry is fatal."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            try:
                call(max(0.1, deadline - self._clock.monotonic()))
                return
            except KafkaException as failure:
                error = _transaction_error(failure)
                if isinstance(error, Abort | Fatal) or self._clock.monotonic() > deadline:
                    raise error from failure

    @staticmethod
    def _call(call: Callable[[], Any]) -> None:
        try:
            call()
        except KafkaException as failure:
            raise _transaction_error(failure) from failure


def _transaction_error(failure: KafkaException) -> KafkaError:
    """Abort, what the library itself calls retriable, or Fatal: there is nothing between them in a transaction."""
    error = translate(failure)
    if error.code == "_FENCED":
        return Fatal(f"{error}, or its transaction took longer than its time-out", code=error.code)
    if isinstance(error, Abort | Fatal) or failure.args[0].retriable():
        return error
    return Fatal(str(error), code=error.code)
