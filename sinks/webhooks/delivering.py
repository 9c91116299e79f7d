"""Makes deliveries of notices and carries them out, for days if need be; what became of each stands in the log.

A delivery is written before its notice is committed, and after every attempt. What was answered but not written any
more is sent again under the same idempotency key.
"""

import random
from collections import Counter, deque
from collections.abc import Set
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from connectors.host import traces
from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.host.secrets import SecretsError
from connectors.host.signals import StopSignal
from connectors.kafka.acknowledgement import acknowledged
from connectors.kafka.consumer import GroupConsumer
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError, NotMember, OffsetOutOfRange
from connectors.kafka.losses import Losses, unfinished
from connectors.kafka.overtaken import Overtaken
from connectors.kafka.producer import Producer
from connectors.kafka.records import Place
from connectors.kafka.understanding import Understanding, Understood
from connectors.webhooks.sender import Answer
from schemas import topics
from schemas.deletion import emptied
from schemas.keys import item_key
from schemas.records import DeliveryAttempt, DeliveryStatus, WebhookDelivery, WebhookNotice
from schemas.signing import signature_headers
from schemas.triggers import PING
from sinks.webhooks import metrics
from sinks.webhooks.directory import Directory
from sinks.webhooks.envelopes import idempotency_key
from sinks.webhooks.lanes import Lanes
from sinks.webhooks.posting import Posting
from sinks.webhooks.receivers import own_id
from sinks.webhooks.schedule import is_taken, next_due_ms
from sinks.webhooks.settings import SinkWebhooksSettings

log = get_logger(__name__)

GROUP = "sink-webhooks-delivering"
USER_AGENT = "rtms-pipeline-webhook/1.0"
NO_ROOM_MS = 200
ACK_S = 10.0

KEPT_MS, LOOK_MS = topics.SESSION_CHANGES.retention_ms or 0, topics.HOUR_MS
"""How long a lane is remembered in which nothing waits: as long as its news can be read again. How often to look."""

DELETED = "data_deleted"
"""Stands in the place of an answer where nothing was sent."""


@dataclass(frozen=True, slots=True)
class Connections:
    """What a deliverer works with; `consumer` has an `Ownership` of `lanes` as its listener."""

    consumer: GroupConsumer
    producer: Producer
    decoder: Decoder
    directory: Directory
    posting: Posting
    lanes: Lanes
    losses: Losses


class _Note(NamedTuple):
    """What came of an attempt, on its way to Kafka; `is_refused`: not for the first time."""

    partition: int
    delivery: WebhookDelivery
    sent: "Future[int]"
    is_refused: bool = False

    @property
    def has_failed(self) -> bool:
        return self.sent.done() and self.sent.exception() is not None

    @property
    def is_taken(self) -> bool:
        return self.sent.done() and self.sent.exception() is None


class Deliverer:
    """One member; `step` once is one round of its loop."""

    def __init__(
        self, connections: Connections, settings: SinkWebhooksSettings, stop: StopSignal, clock: Clock
    ) -> None:
        self._to, self._settings, self._stop, self._clock = connections, settings, stop, clock
        self._lanes = connections.lanes
        self._answers: deque[tuple[WebhookDelivery, int, Future[Answer]]] = deque()
        self._given_up: Counter[str] = Counter()
        self._worst: Set[str] = frozenset()
        self._understanding = Understanding(connections.consumer, connections.decoder)
        self._overtaken = Overtaken(connections.consumer, connections.losses, lambda place: unfinished)
        self._dead_letters = DeadLetters(connections.producer, connections.decoder.codec)
        self._taken: list[Understood] = []
        self._unwritten: list[tuple[int, WebhookDelivery]] = []
        self._notes: dict[str, _Note] = {}
        """Of each delivery the newest."""
        self._is_paused = False
        self._looked_ms = 0

    def step(self, wait_s: float) -> None:
        """Take notices and carry on. Raises Fatal."""
        try:
            self._take_notices(wait_s)
            self._note_again()
        except (KafkaError, TimeoutError) as error:
            if isinstance(error, Fatal):
                raise
            log.warning("deliveries not written, trying again", error=type(error).__name__)
            self._stop.wait_thread(0.5)
        self.carry_on()
        metrics.WAITING.set(self._lanes.waiting)
        self._worst = metrics.tell_who_fails(self._lanes.failing, self._worst)

    def carry_on(self) -> None:
        """Write what was answered and send what is due then: between other work, so that no lane waits for that."""
        self._take_answers()
        self._forget_notes()
        is_behind = self._unwritten or any(note.is_refused or note.has_failed for note in self._notes.values())
        # Nothing is sent that would be forgotten if we ended now, or before it is known what is deleted.
        if not is_behind and self._to.directory.is_ready:
            self._send_due()

    def _take_notices(self, wait_s: float) -> None:
        self._overtaken.catch_up()
        read = self._read(wait_s)
        self._taken += read
        self._unwritten += [made for understood in read for made in self._made(understood)]
        self._forget_what_moved_away()
        if not self._taken:
            return
        sent = [self._write(partition, delivery) for partition, delivery in self._unwritten]
        sent += [self._dead_letters.refuse(record, refusal) for record, _, refusal in self._taken if refusal]
        acknowledged(sent, ACK_S, self._clock)
        self._unwritten = []
        self._commit()
        self._forget_lanes(max(record.timestamp_ms for record, *_ in self._taken))
        self._taken = []
        if self._is_paused:
            self._to.consumer.resume(list(self._to.consumer.assignment()))
            self._is_paused = False

    def _commit(self) -> None:
        held = self._to.consumer.assignment()
        try:
            self._to.consumer.commit({r.place: r.offset + 1 for r, *_ in self._taken if r.place in held})
        except NotMember:
            log.info("partitions moved before the commit")

    def _made(self, understood: Understood) -> list[tuple[int, WebhookDelivery]]:
        record, notice, _ = understood
        if not isinstance(notice, WebhookNotice):
            return []
        if self._to.directory.is_deleted(notice.session_id):
            if self._to.directory.withdraws(notice):
                return []
            for waiting in self._lanes.unfinished(notice.session_id, notice.subscription_id):
                if self._to.directory.withdraws(waiting):  # or it would hold this notice back
                    self._withdraw(waiting, self._clock.now_ms())
        made = self._lanes.accept(record.partition, record.offset, notice)
        return [] if made is None else [(record.partition, made)]

    def _forget_lanes(self, log_ms: int) -> None:
        """By the log's clock: one of a host that is wrong for a moment must make nobody old."""
        if log_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = log_ms
            self._lanes.forget(log_ms - KEPT_MS)

    def _forget_what_moved_away(self) -> None:
        held = self._to.consumer.assignment()
        self._taken = [understood for understood in self._taken if understood.record.place in held]
        self._unwritten = [made for made in self._unwritten if Place(topics.WEBHOOK_NOTICES.name, made[0]) in held]

    def _read(self, wait_s: float) -> list[Understood]:
        """While something could not be written, nothing more than what arrives anew; but who is silent is no member."""
        if self._taken:
            self._to.consumer.pause(list(self._to.consumer.assignment()))
            self._is_paused = True
        try:
            return list(self._understanding.of(self._to.consumer.consume(500, wait_s=wait_s)))
        except OffsetOutOfRange as error:
            metrics.LOST.labels(error.place.topic).inc()
            self._overtaken.add(error.place)
            return []

    def _send_due(self) -> None:
        now_ms = self._clock.now_ms()
        knows_all = cache(self._to.directory.knows_subscriptions)  # asked once for all that is due, if at all
        for delivery in self._lanes.due(now_ms):
            if self._to.directory.withdraws(delivery):
                self._withdraw(delivery, now_ms)
                continue
            if not self._to.posting.has_room(delivery.url) or not (self._knows_secrets(delivery) or knows_all()):
                self._lanes.defer(delivery, now_ms + NO_ROOM_MS)
                continue
            self._lanes.begin(delivery, now_ms)
            self._answers.append((delivery, traces.now_ns(), self._post(delivery, now_ms)))

    def _knows_secrets(self, delivery: WebhookDelivery) -> bool:
        """Whether it can be signed as was answered without a look for news: who announced it may have known of its
        subscription before us, and a test is asked for when a secret is new, too."""
        subscription_id = delivery.subscription_id
        return delivery.trigger != PING and (
            self._to.directory.subscription(subscription_id) is not None
            or subscription_id == own_id(delivery.session_id, delivery.url)  # which its project signs
        )

    def _withdraw(self, delivery: WebhookDelivery, now_ms: int) -> None:
        """Give it up unsent; nobody else in its lane waits for it any more."""
        attempt = DeliveryAttempt(at_ms=now_ms, error=DELETED)
        finished = self._lanes.finish(emptied(delivery), attempt, DeliveryStatus.FAILED, now_ms)
        if finished is not None:
            metrics.DELIVERIES.labels("withdrawn").inc()
            self._note(*finished)

    def _post(self, delivery: WebhookDelivery, now_ms: int) -> "Future[Answer]":
        message_id = idempotency_key(delivery.delivery_id)
        try:
            secrets = self._to.directory.secrets(delivery)
        except SecretsError:  # unsigned is worse than late: the ring can be put right
            failed: Future[Answer] = Future()
            failed.set_result(Answer(error="secret_unreadable"))
            self._to.posting.reserve(delivery.url)
            return failed
        headers = signature_headers(secrets, message_id, now_ms // 1000, delivery.body) | {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "X-Webhook-Sequence": str(delivery.sequence),
            **traces.web_headers(delivery.session_id),
        }
        return self._to.posting.post(delivery.url, delivery.body, headers)

    def _take_answers(self) -> None:
        for _ in range(len(self._answers)):
            delivery, began_ns, future = self._answers.popleft()
            if not future.done():
                self._answers.append((delivery, began_ns, future))
                continue
            self._to.posting.done(delivery.url)
            answer, which = _answer(future), f"{delivery.delivery_id}:{len(delivery.attempts)}"
            said = answer.error or str(answer.status_code)
            traces.span(delivery.session_id, "deliver", began_ns, which, trigger=delivery.trigger, answer=said)
            self._finish(delivery, answer)

    def _finish(self, delivery: WebhookDelivery, answer: Answer) -> None:
        attempt = DeliveryAttempt(
            at_ms=self._clock.now_ms(), status_code=answer.status_code, error=answer.error, excerpt=answer.excerpt
        )
        due_ms = None if is_taken(attempt) else next_due_ms((*delivery.attempts, attempt), random.random())  # noqa: S311
        status = DeliveryStatus.PENDING
        if due_ms is None:
            status = DeliveryStatus.DELIVERED if is_taken(attempt) else DeliveryStatus.FAILED
        metrics.ATTEMPTS.labels("taken" if is_taken(attempt) else answer.error or "refused").inc()
        if not delivery.attempts:
            metrics.LATENCY.observe(max(0, attempt.at_ms - delivery.created_at_ms) / 1000)
        finished = self._lanes.finish(delivery, attempt, status, attempt.at_ms if due_ms is None else due_ms)
        if finished is not None:
            self._note(*finished)
            self._judge(finished[1])

    def _note(self, partition: int, delivery: WebhookDelivery, *, is_refused: bool = False) -> None:
        self._notes[delivery.delivery_id] = _Note(partition, delivery, self._write(partition, delivery), is_refused)

    def _forget_notes(self) -> None:
        """Those that Kafka has, and those of deliveries that are somebody else's: who tells them anew."""
        held = {place.partition for place in self._to.consumer.assignment()}
        self._notes = {
            key: note for key, note in self._notes.items() if not note.is_taken and note.partition in held
        }  # fmt: skip

    def _note_again(self) -> None:
        """What Kafka did not take in all its time would else be told again one day. Raises KafkaError, TimeoutError."""
        self._forget_notes()
        for note in [note for note in self._notes.values() if note.has_failed]:
            self._note(note.partition, note.delivery, is_refused=True)
        acknowledged((note.sent for note in self._notes.values() if note.is_refused), ACK_S, self._clock)

    def _write(self, partition: int, delivery: WebhookDelivery) -> "Future[int]":
        value = self._to.decoder.codec.encode(topics.WEBHOOK_DELIVERIES, delivery)
        key = item_key(delivery.session_id, delivery.delivery_id)
        return self._to.producer.send_future(topics.WEBHOOK_DELIVERIES, key, value, partition)

    def _judge(self, delivery: WebhookDelivery) -> None:
        """Count what was given up; a receiver that took nothing for long is not tried for ever."""
        subscription_id = delivery.subscription_id
        if delivery.status is DeliveryStatus.PENDING:
            return
        metrics.DELIVERIES.labels(str(delivery.status)).inc()
        if delivery.status is DeliveryStatus.DELIVERED:
            self._given_up.pop(subscription_id, None)
            return
        log.warning("delivery given up", session_id=delivery.session_id, delivery_id=delivery.delivery_id,
                    attempts=len(delivery.attempts))  # fmt: skip
        subscription = self._to.directory.subscription(subscription_id)
        if subscription is None or not subscription.is_active:  # a session's own; or off, and then it begins anew
            self._given_up.pop(subscription_id, None)
            return
        self._given_up[subscription_id] += 1
        most = self._settings.disable_after_failed
        if most and self._given_up[subscription_id] >= most:
            reason = f"{most} deliveries in a row were given up"
            disabled = replace(subscription, is_active=False, disabled_reason=reason)
            value = self._to.decoder.codec.encode(topics.WEBHOOK_SUBSCRIPTIONS, disabled)
            self._to.producer.send_future(topics.WEBHOOK_SUBSCRIPTIONS, subscription_id.encode(), value, 0)
            del self._given_up[subscription_id]
            log.error("subscription disabled", subscription_id=subscription_id, reason=reason)


def _answer(future: "Future[Answer]") -> Answer:
    """What came of it; a fault of ours is one receiver's failed attempt and not everybody's end."""
    error = future.exception()
    if error is None:
        return future.result()
    log.error("an attempt broke", error=type(error).__name__)
    return Answer(error="internal_error")
