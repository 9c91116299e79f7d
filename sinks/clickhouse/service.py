"""Kafka into ClickHouse: read, insert, state what is complete, commit; in this order, and again until it works.

What belongs to a session whose data is deleted is erased instead. Whether it is, is asked before and after the insert:
`connectors.kafka.deletions` says why that is enough.

Nothing is skipped. While ClickHouse or Kafka cannot, partitions are paused and membership is kept, the process says
that it is not ready, and the same rows are written again later: derived ids make that harmless. An input that can never
become a row goes to the dead letters before it is committed.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.errors import ClickHouseError
from connectors.host import traces
from connectors.host.backoff import delays_s
from connectors.host.clock import Clock
from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.signals import StopSignal
from connectors.kafka.acknowledgement import acknowledged
from connectors.kafka.consumer import GroupConsumer, Listener
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.decoder import Decoder
from connectors.kafka.deletions import Deleted, Deletions
from connectors.kafka.errors import Fatal, KafkaError, NotMember, OffsetOutOfRange
from connectors.kafka.losses import Concerns, Losses, awaiting
from connectors.kafka.overtaken import Overtaken
from connectors.kafka.producer import Producer
from connectors.kafka.records import Place, Record
from connectors.kafka.understanding import Understanding, Understood
from schemas import deletion, ids, topics
from schemas.deletion import Part
from schemas.keys import item_key
from schemas.records import OutputKind, ParticipantEvent, SessionFact, Stored, Utterance, WebhookDelivery
from schemas.records import Record as Value
from schemas.sessions import Awaited
from sinks.clickhouse import metrics
from sinks.clickhouse.archiving import Archiving
from sinks.clickhouse.caption_words import CaptionWords
from sinks.clickhouse.chat_words import ChatWords
from sinks.clickhouse.completeness import SOURCE, Found, counting, missing, verdict
from sinks.clickhouse.emptied import Value as WithWords
from sinks.clickhouse.emptied import Words
from sinks.clickhouse.erasing import Erasing, Rows
from sinks.clickhouse.expiring import Expiring
from sinks.clickhouse.pending import Ending, Erasure, Pending
from sinks.clickhouse.settings import ClickHouseSinkSettings
from sinks.clickhouse.told_captions import ToldCaptions
from sinks.clickhouse.told_words import ToldWords

log = get_logger(__name__)

GROUP = "sink-clickhouse"
NO_PARTITIONS = "no partitions assigned"
INPUTS = (topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.APP_SESSIONS, topics.WEBHOOK_DELIVERIES)

LOSABLE = {topics.TRANSCRIPTS.name: Awaited.TRANSCRIPT, topics.PARTICIPANT_EVENTS.name: Awaited.EVENTS}
"""What a session lacks when records of an input are deleted unread. Of `app-sessions` only what a newer record replaces
is ever deleted."""

WITH_CONTENT = (Utterance, ParticipantEvent, WebhookDelivery)

RECOUNT_S = 0.2


def concerned(place: Place) -> Concerns | None:
    """Whose rows may be missing when records of the input were deleted unread."""
    return awaiting(LOSABLE[place.topic]) if place.topic in LOSABLE else None


class Ownership(Listener):
    """Forgets what is pending of partitions that move away."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending

    def on_revoked(self, revoked: list[Place]) -> None:
        self._pending.drop(revoked)

    def on_lost(self, lost: list[Place]) -> None:
        self._pending.drop(lost)


@dataclass(frozen=True, slots=True)
class Connections:
    """What the sink works with; `consumer` has an `Ownership` of `pending` as its listener."""

    consumer: GroupConsumer
    pending: Pending
    producer: Producer
    decoder: Decoder
    clickhouse: ClickHouse
    losses: Losses
    partitions: int
    deletions: Deletions
    rows: Rows
    chat_words: ChatWords
    told_words: ToldWords
    caption_words: CaptionWords
    told_captions: ToldCaptions
    erasing: Erasing
    expiring: Expiring
    archiving: Archiving


class ClickHouseSink:
    """One process of the sink; `step` once is one round of its loop."""

    def __init__(
        self, connections: Connections, settings: ClickHouseSinkSettings, health: Health, stop: StopSignal, clock: Clock
    ) -> None:
        self._to = connections
        self._consumer, self._pending = connections.consumer, connections.pending
        self._writing_since_ns = 0
        self._understanding = Understanding(connections.consumer, connections.decoder)
        self._dead_letters = DeadLetters(connections.producer, connections.decoder.codec)
        self._settings, self._health, self._stop, self._clock = settings, health, stop, clock
        health.ready(False, NO_PARTITIONS, "assignment")
        self._delays: Iterator[float] = delays_s()
        self._retry_at_s: float | None = None
        self._overtaken = Overtaken(connections.consumer, connections.losses, concerned)

    def step(self) -> None:
        """Write what is there.

        Raises:
            Fatal: a client is broken for good; leave.
        """
        self._health.beat()
        self._overtaken.catch_up()
        for understood in self._understanding.of(self._read()):
            self._add(understood)
        self._health.ready(bool(self._consumer.assignment()), NO_PARTITIONS, "assignment")
        if self._pending and (self._retry_at_s is None or self._clock.monotonic() >= self._retry_at_s):
            self._write()
        if self._retry_at_s is not None and not self._pending:
            self._recovered()  # what could not be written has moved away; nothing else would ever resume the rest
        held = list(self._consumer.assignment())
        if self._retry_at_s is not None:
            self._consumer.pause(held)
        partitions = {place.partition for place in held if place.topic == topics.APP_SESSIONS.name}
        self._to.expiring.step(partitions)
        self._to.erasing.step(partitions)
        if self._retry_at_s is None:  # else ClickHouse is not there to be asked
            self._to.archiving.step(partitions)
        metrics.PAUSED.set(0 if self._retry_at_s is None else len(held))

    def _read(self) -> list[Record]:
        linger_s = self._settings.batch_linger_ms / 1000
        try:
            return self._consumer.consume(self._settings.batch_records, wait_s=0.1, linger_s=linger_s)
        except OffsetOutOfRange as error:
            self._overtaken.add(error.place)
            return []

    def _add(self, understood: Understood) -> None:
        record, value, refusal = understood
        if refusal:
            self._pending.refuse(record, refusal)
            return
        if getattr(value, "kind", OutputKind.ITEM) == OutputKind.UNKNOWN:
            metrics.SKIPPED.labels(record.topic).inc()
            value = None
        if value is not None and (deleted := self._deleted(value)) is not None:
            metrics.ERASED.labels(record.topic).inc()
            self._pending.erase(record, value, deleted)
            return
        self._pending.add(record, value)

    def _deleted(self, value: Value) -> Deleted | None:
        """The deletion that the record falls under."""
        if not isinstance(value, WITH_CONTENT):
            return None
        deleted = self._to.deletions.get(value.session_id)
        return deleted if deleted is not None and deleted.covers(value) else None

    def _write(self) -> None:
        started_s = self._clock.monotonic()
        self._writing_since_ns = traces.now_ns()
        try:
            self._insert()
            self._withdraw_words()
            if self._is_late():
                return
            self._erase(self._pending.deleted())
            self._report()
            self._commit()
        except (ClickHouseError, KafkaError, TimeoutError) as error:
            if isinstance(error, Fatal):
                raise
            self._failed("clickhouse" if isinstance(error, ClickHouseError) else "kafka", error)
            return
        self._pending.clear()
        metrics.LATENCY.observe(self._clock.monotonic() - started_s)
        self._recovered()

    def _insert(self) -> None:
        for table, rows in self._pending.rows():
            self._to.clickhouse.insert(table, rows, patience_s=0)
            metrics.ROWS.labels(table.name).inc(len(rows))

    def _withdraw_words(self) -> None:
        """Of messages and captions deleted in the meeting, and of what was told of them.

        Their records first: what is found no more is not looked for again.
        """
        content = list(self._pending.content())
        self._withdraw(self._to.chat_words, content)
        self._withdraw(self._to.told_words, content)
        self._withdraw(self._to.caption_words, content)
        self._withdraw(self._to.told_captions, content)

    def _withdraw(self, words: Words[WithWords], content: list[Value]) -> None:
        emptied = words.left(content, patience_s=0)
        if not emptied:
            return
        encode, send = self._to.decoder.codec.encode, self._to.producer.send_future
        sent = [
            send(one.topic, item_key(one.value.session_id, one.item), encode(one.topic, one.value), one.at.partition)
            for one in emptied
        ]
        acknowledged(sent, self._settings.ack_timeout_s, self._clock)
        words.replace(emptied, patience_s=0)
        metrics.WITHDRAWN.inc(len(emptied))

    def _is_late(self) -> bool:
        """Whether a session was deleted while its rows were written: then all of it is read again, knowing that.

        The rows go at once: where the partition has moved away meanwhile, nobody else has to look for them any more.
        """
        content = self._pending.content()
        self._to.deletions.by_now({value.session_id for value in content if isinstance(value, WITH_CONTENT)})
        late = [deleted for value in content if (deleted := self._deleted(value)) is not None]
        if late:
            self._erase(set(late))
            log.info("deleted while it was written, reading again", records=len(late))
            self._consumer.put_back(self._pending.first_offsets(), 0.0)
            self._pending.clear()
            self._recovered()
        return bool(late)

    def _erase(self, deleted: set[Deleted]) -> None:
        """Take the rows away; state first how many there are, where nobody has: `Erasing` may come too late to."""
        uncounted = {one.session_id: one for one in deleted if Part.ROWS in one.missing}
        sent: list[Future[int]] = []
        for session_id, one in uncounted.items():
            rows = self._to.rows.count([one], patience_s=0)[session_id]
            fact = deletion.found(session_id, Part.ROWS, SOURCE, Stored(count=rows))
            sent.append(self._say(one.about(fact)))
        acknowledged(sent, self._settings.ack_timeout_s, self._clock)
        self._to.rows.delete(deleted, patience_s=0)

    def _report(self) -> None:
        """State endings, write letters and what is left of erased records, and wait until Kafka has them."""
        until_s = self._clock.monotonic() + self._settings.recount_patience_s
        sent: list[Future[int]] = [self._state(ending, until_s) for ending in self._pending.endings()]
        for letter in self._pending.letters():
            sent.append(self._dead_letters.refuse(letter.record, letter.reason))
        sent += [self._replace(erasure) for erasure in self._pending.erasures()]
        acknowledged(sent, self._settings.ack_timeout_s, self._clock)

    def _replace(self, erasure: Erasure) -> "Future[int]":
        record, topic = erasure.record, topics.BY_NAME[erasure.record.topic]
        data = None if erasure.left is None else self._to.decoder.codec.encode(topic, erasure.left)
        return self._to.producer.send_future(topic, record.key, data, record.partition)

    def _state(self, ending: Ending, until_s: float) -> "Future[int]":
        deleted = self._to.deletions.get(ending.session_id)
        if deleted is not None:  # what was announced before is not to be there
            ending = replace(ending, announced=0)
        found = self._found(ending, until_s)
        if short := missing(ending, found):
            metrics.SHORT.labels(ending.table.name).inc()
            log.error("rows are missing", table=ending.table.name, session_id=ending.session_id,
                      announced=ending.announced, missing=short)  # fmt: skip
        fact = verdict(ending, found)
        metrics.ENDINGS.labels(ending.table.name).inc()
        traces.span(ending.session_id, "store rows", self._writing_since_ns, ending.table.name, rows=found.rows)
        log.info("stored", table=ending.table.name, session_id=ending.session_id, rows=found.rows, kind=fact.kind)
        return self._say(fact)

    def _say(self, fact: SessionFact) -> "Future[int]":
        value = self._to.decoder.codec.encode(topics.SESSION_FACTS, fact)
        partition = ids.partition_of(fact.session_id, self._to.partitions)
        return self._to.producer.send_future(topics.SESSION_FACTS, fact.session_id.encode(), value, partition)

    def _found(self, ending: Ending, until_s: float) -> Found:
        """The rows that are there; what a replica may only be late with is waited for."""
        while True:
            [row] = self._to.clickhouse.query(*counting(ending), patience_s=0)
            found = Found.of(row)
            if not missing(ending, found) or self._clock.monotonic() >= until_s:
                return found
            if self._stop.wait_thread(RECOUNT_S):
                raise Fatal("stopped before a session's rows were counted")

    def _commit(self) -> None:
        try:
            self._consumer.commit(self._pending.offsets())
        except NotMember:  # the new owner writes the same rows again
            log.info("partitions moved before the commit")

    def _failed(self, at: str, error: Exception) -> None:
        delay_s = next(self._delays)
        self._retry_at_s = self._clock.monotonic() + delay_s
        metrics.FAILURES.labels(at).inc()
        self._health.ready(False, f"{at} does not take the batch", "writing")
        log.warning("batch not written, trying again", at=at, error=type(error).__name__, reason=str(error),
                    delay_s=delay_s)  # fmt: skip

    def _recovered(self) -> None:
        self._health.ready(True, condition="writing")
        if self._retry_at_s is not None:
            self._retry_at_s, self._delays = None, delays_s()
            self._consumer.resume(list(self._consumer.assignment()))
            log.info("writing again")
