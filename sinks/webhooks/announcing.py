"""Makes notices of what happened: read, write a notice for each receiver, wait for Kafka, commit; again until it works.

A notice that is written twice is known by what it was made of, so nothing here has to be exact about restarts.
"""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.host.signals import StopSignal
from connectors.kafka.acknowledgement import acknowledged
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError, NotMember, OffsetOutOfRange
from connectors.kafka.losses import Losses, unfinished
from connectors.kafka.overtaken import Overtaken
from connectors.kafka.producer import Producer
from connectors.kafka.records import Place, Record
from connectors.kafka.understanding import Understanding, Understood
from schemas import topics
from schemas.keys import item_key, session_of
from schemas.records import Record as Value
from schemas.records import SessionChange, WebhookNotice
from schemas.signing import canonical
from sinks.webhooks import metrics
from sinks.webhooks.directory import Directory, NotKnownYet
from sinks.webhooks.envelopes import delivery_id, envelope, news_of
from sinks.webhooks.receivers import receivers

log = get_logger(__name__)

GROUP = "sink-webhooks-announcing"
INPUTS = (topics.SESSION_CHANGES, topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS)

FIRST_WORD_MS = 500
"""How long a session's first news waits: whoever asked for the session should have the answer first."""

ACK_S = 10.0
RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class Connections:
    """What an announcer works with."""

    consumer: GroupConsumer
    producer: Producer
    decoder: Decoder
    directory: Directory
    losses: Losses


class Announcer:
    """One member; `step` once is one round of its loop."""

    def __init__(self, connections: Connections, stop: StopSignal, clock: Clock) -> None:
        self._to, self._consumer = connections, connections.consumer
        self._stop, self._clock = stop, clock
        self._understanding = Understanding(connections.consumer, connections.decoder)
        self._overtaken = Overtaken(connections.consumer, connections.losses, lambda place: unfinished)
        self._dead_letters = DeadLetters(connections.producer, connections.decoder.codec)

    def step(self, wait_s: float) -> None:
        """Announce what is there; what Kafka did not take is read again a little later. Raises Fatal."""
        self._overtaken.catch_up()
        batch = self._read(wait_s)
        if not batch:
            return
        if not self._knows_who_is_told(batch):
            self._consumer.put_back(_firsts(batch), RETRY_S)
            return
        try:
            self._announce(batch)
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, Fatal):
                raise
            log.warning("notices not written, trying again", error=type(error).__name__)
            self._consumer.put_back(_firsts(batch), RETRY_S)

    def _read(self, wait_s: float) -> list[Understood]:
        try:
            return list(self._understanding.of(self._consumer.consume(500, wait_s=wait_s)))
        except OffsetOutOfRange as error:  # nobody can tell any more what was to be told
            metrics.LOST.labels(error.place.topic).inc()
            self._overtaken.add(error.place)
            return []

    def _knows_who_is_told(self, batch: list[Understood]) -> bool:
        """Who subscribes and then asks for a session, or for its end, is to be told of that: nobody tells it again."""
        is_asked_for = any(understood.record.topic == topics.SESSION_CHANGES.name for understood in batch)
        return not is_asked_for or self._to.directory.knows_subscriptions()

    def _announce(self, batch: list[Understood]) -> None:
        """Of a session that is not known yet, the partition waits; all others go on."""
        sent: list[Future[int]] = []
        done: dict[Place, int] = {}
        too_early: dict[Place, int] = {}
        for understood in batch:
            record = understood.record
            if record.place in too_early:
                continue
            try:
                sent += self._written(understood)
            except NotKnownYet:
                too_early[record.place] = record.offset
            else:
                done[record.place] = record.offset + 1
        self._consumer.put_back(too_early, RETRY_S)
        acknowledged(sent, ACK_S, self._clock)
        held = self._consumer.assignment()
        try:
            self._consumer.commit({place: offset for place, offset in done.items() if place in held})
        except NotMember:
            log.info("partitions moved before the commit")

    def _written(self, understood: Understood) -> list["Future[int]"]:
        """A record's notices, on their way; or its letter, where nobody else would write one. Raises NotKnownYet."""
        record, _, refusal = understood
        if refusal and record.topic == topics.SESSION_CHANGES.name:
            return [self._dead_letters.refuse(record, refusal)]
        return [self._send(record, notice) for notice in self._notices(understood)]

    def _send(self, record: Record, notice: WebhookNotice) -> "Future[int]":
        value = self._to.decoder.codec.encode(topics.WEBHOOK_NOTICES, notice)
        key = item_key(notice.session_id, notice.delivery_id)
        metrics.NOTICES.labels(notice.trigger).inc()
        return self._to.producer.send_future(topics.WEBHOOK_NOTICES, key, value, record.partition)

    def _notices(self, understood: Understood) -> Iterator[WebhookNotice]:
        """None of tombstones, and of what is no record."""
        record, value, _ = understood
        session = None if value is None else self._to.directory.session(session_of(record.key) or "")
        news = None if session is None or value is None else news_of(value, session)
        if session is None or news is None:
            return
        subscriptions = self._to.directory.subscriptions(session.project_id)
        for receiver in receivers(session, subscriptions, news.trigger, record.timestamp_ms):
            delivery = delivery_id(receiver.subscription_id, session.session_id, news)
            yield WebhookNotice(
                delivery_id=delivery,
                session_id=session.session_id,
                project_id=session.project_id,
                subscription_id=receiver.subscription_id,
                url=receiver.url,
                trigger=str(news.trigger),
                body=canonical(envelope(news, session, delivery)),
                created_at_ms=record.timestamp_ms,
                not_before_ms=_not_before_ms(value, record.timestamp_ms),
            )


def _firsts(batch: list[Understood]) -> dict[Place, int]:
    return {understood.record.place: understood.record.offset for understood in reversed(batch)}


def _not_before_ms(value: Value | None, at_ms: int) -> int:
    is_first = isinstance(value, SessionChange) and value.sequence == 0
    return at_ms + FIRST_WORD_MS if is_first else at_ms
