"""Erases the rows and the compacted records of sessions whose data is deleted, in a thread of its own.

What is read later of such a session never gets so far (`service`). Everything here may be repeated and broken off
anywhere: what is found is stated before it is erased, what is stated as erased is gone.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.errors import ClickHouseError
from connectors.host.backoff import delays_s
from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.host.signals import StopSignal
from connectors.kafka.acknowledgement import acknowledged
from connectors.kafka.decoder import Decoder
from connectors.kafka.deletions import Deleted, Deletions
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.producer import Producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from schemas import topics
from schemas.codec import Undecodable
from schemas.deletion import Part, erased, found, left_of
from schemas.keys import session_of
from schemas.records import Record, SessionFact, Stored
from schemas.topics import Topic
from sinks.clickhouse import content, metrics
from sinks.clickhouse.completeness import SOURCE

log = get_logger(__name__)

PARTS = (Part.ROWS, Part.RECORDS)
MOST = 200
"""Sessions erased at a time: their partition is read once for all of them."""

SCAN_S = 600.0
ACK_S = 30.0


class Rows:
    """The rows of sessions; safe to use from any thread. All raise ClickHouseError."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse

    def count(self, deleted: Collection[Deleted], patience_s: float | None = None) -> Counter[str]:
        """How many there are of each session."""
        rows: Counter[str] = Counter()
        for table, parameters in content.statements(deleted):
            for row in self._clickhouse.query(table.amounts, parameters, patience_s):
                rows[row["session_id"]] += int(row["rows"])
        return rows

    def delete(self, deleted: Collection[Deleted], patience_s: float | None = None) -> None:
        """Nobody can read them when this returns; the disk forgets them soon after. Where there are none, no change."""
        for table, parameters in content.statements(deleted):
            if self._clickhouse.query(table.amounts, parameters, patience_s):
                self._clickhouse.command(table.delete, parameters, patience_s)
                self._clickhouse.command(table.purge, patience_s=patience_s)

    def purge(self) -> None:
        """Have the disk forget also what somebody made invisible who did not get so far, here or in `Words`."""
        for row in self._clickhouse.query(content.MASKED, {"tables": list(content.TABLES)}):
            self._clickhouse.command(content.purge(row["table"]))


@dataclass(frozen=True, slots=True)
class Tools:
    """What the thread works with; nobody else uses `loader`."""

    loader: PartitionLoader
    producer: Producer
    decoder: Decoder
    deletions: Deletions
    rows: Rows


class Newest(NamedTuple):
    """What stands under a key, and since when."""

    value: bytes | None
    appended_ms: int


class Erasing:
    """`step` from the sink's loop, which it never holds up; `close` when that has ended."""

    def __init__(self, tools: Tools, stop: StopSignal, clock: Clock) -> None:
        self._tools, self._stop, self._clock = tools, stop, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="erasing")
        self._running: tuple[Sequence[Deleted], Future[None]] | None = None
        self._is_swept = False
        self._stated: set[tuple[str, int | None]] = set()
        self._delays: Iterator[float] = delays_s()
        self._retry_at_s = 0.0

    def step(self, partitions: Collection[int]) -> None:
        """Begin with what is due in these partitions, if nothing is under way. Raises Fatal."""
        if self._running is not None and not self._settled(*self._running):
            return
        self._running = None
        if not self._is_swept:
            if self._clock.monotonic() >= self._retry_at_s:
                self._running = (), self._thread.submit(self._sweep)
            return
        unfinished = self._tools.deletions.unfinished(PARTS, partitions)
        self._stated &= {_which(deleted) for deleted in unfinished}
        due = [deleted for deleted in unfinished if _which(deleted) not in self._stated]
        metrics.UNERASED.set(len(unfinished))
        if due and self._clock.monotonic() >= self._retry_at_s:
            together = [deleted for deleted in due if deleted.partition == due[0].partition][:MOST]
            self._running = together, self._thread.submit(self._erase, together)

    def close(self) -> None:
        """Break off: whoever holds the partition next begins anew."""
        self._thread.shutdown(cancel_futures=True)

    def _settled(self, deleted: Sequence[Deleted], work: "Future[None]") -> bool:
        """Take note of what came of it, if it is over."""
        if not work.done():
            return False
        error = work.exception()
        if error is None:
            self._stated |= {_which(session) for session in deleted}
            self._delays = delays_s()
            return True
        if isinstance(error, Fatal):
            raise error
        delay_s = next(self._delays)
        self._retry_at_s = self._clock.monotonic() + delay_s
        is_outage = isinstance(error, ClickHouseError | KafkaError | TimeoutError)
        log.warning("deletion unfinished, trying again", sessions=len(deleted), error=type(error).__name__,
                    delay_s=delay_s, exc_info=None if is_outage else error)  # fmt: skip
        return True

    def _sweep(self) -> None:
        """Once, at the start: a predecessor may have been killed in the middle."""
        self._tools.rows.purge()
        self._is_swept = True

    def _erase(self, deleted: Sequence[Deleted]) -> None:
        tools = self._tools
        records = self._records(deleted[0].partition, {session.session_id: session for session in deleted})
        rows = tools.rows.count(deleted)
        amounts = {Part.ROWS: rows, Part.RECORDS: Counter(session_id for session_id, *_ in records)}
        self._state(deleted, [
            session.about(found(session.session_id, part, SOURCE, Stored(count=amounts[part][session.session_id])))
            for session in deleted for part in PARTS
        ])  # fmt: skip
        self._replace(deleted[0].partition, records)
        tools.rows.delete(deleted)
        tools.rows.purge()
        self._state(
            deleted,
            [session.about(erased(session.session_id, part, SOURCE)) for session in deleted for part in PARTS],
        )
        metrics.DELETIONS.inc(len(deleted))
        log.info("rows and records erased", sessions=len(deleted), partition=deleted[0].partition,
                 rows=rows.total(), records=len(records))  # fmt: skip

    def _records(self, partition: int, sessions: Mapping[str, Deleted]) -> list[tuple[str, Topic, bytes, bytes | None]]:
        """(session, topic, key, newest value) of all deleted records that the partition holds, replaced ones too."""
        newest: dict[tuple[Topic, bytes], Newest] = {}
        places = [Place(topic.name, partition) for topic in content.TOPICS]
        with closing(self._tools.loader.load(places, SCAN_S)) as records:
            for record in records:
                if self._stop.is_set():
                    raise TimeoutError("stopped")
                if record.key is not None and session_of(record.key) in sessions:
                    newest[topics.BY_NAME[record.topic], record.key] = Newest(record.value, record.timestamp_ms)
        return [
            (session_of(key) or "", topic, key, one.value)
            for (topic, key), one in newest.items()
            if self._is_deleted(sessions[session_of(key) or ""], topic, one)
        ]

    def _is_deleted(self, deleted: Deleted, topic: Topic, newest: Newest) -> bool:
        """What was replaced counts as well, perhaps by the sink itself, which is faster at what it reads now; of a
        transcript what was since it was to be deleted. What cannot be read counts where all is deleted."""
        if newest.value is None:
            return deleted.is_whole or newest.appended_ms >= (deleted.asked_at_ms or 0)
        record = self._decoded(topic, newest.value)
        return deleted.is_whole if record is None else deleted.covers(record)

    def _decoded(self, topic: Topic, value: bytes) -> Record | None:
        """What it says; None for what nobody can read, which goes as well."""
        try:
            return self._tools.decoder.decode_patiently(topic, value, self._stop.wait_thread)
        except Undecodable:
            return None

    def _replace(self, partition: int, records: Sequence[tuple[str, Topic, bytes, bytes | None]]) -> None:
        """Write what may be left of each under its key, mostly a tombstone, and wait until Kafka has it."""
        sent: list[Future[int]] = []
        for _, topic, key, value in records:
            if value is None:
                continue
            record = self._decoded(topic, value)
            left = None if record is None else left_of(record)
            if left is None or left != record:
                data = None if left is None else self._tools.decoder.codec.encode(topic, left)
                sent.append(self._tools.producer.send_future(topic, key, data, partition))
        acknowledged(sent, ACK_S, self._clock)

    def _state(self, deleted: Sequence[Deleted], facts: Sequence[SessionFact]) -> None:
        encode, send = self._tools.decoder.codec.encode, self._tools.producer.send_future
        partition = deleted[0].partition
        sent = [
            send(topics.SESSION_FACTS, fact.session_id.encode(), encode(topics.SESSION_FACTS, fact), partition)
            for fact in facts
        ]
        acknowledged(sent, ACK_S, self._clock)


def _which(deleted: Deleted) -> tuple[str, int | None]:
    return deleted.session_id, deleted.asked_at_ms
