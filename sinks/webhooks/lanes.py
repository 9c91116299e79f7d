"""What is to be delivered next: one lane per session and receiver, in order, held up by what failed just now. Pure.

A delivery waits for those before it in its lane, until the first of them has been failing for `PATIENCE_MS`: from then
on that one is tried beside the others and holds nobody back.
"""

import heapq
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from schemas.records import DeliveryAttempt, DeliveryStatus, WebhookDelivery, WebhookNotice
from schemas.signing import canonical
from sinks.webhooks.known import Known

PATIENCE_MS = 300_000
NEVER_MS = 2**62

LaneKey = tuple[str, str]
"""(session, subscription)."""


@dataclass(slots=True)
class Lane:
    """The deliveries of one receiver of one session that are not over, in order. `wake_ms` is when to look at it.

    `known` are the ids of all its deliveries, those that are over too; the newest of them was made at `made_ms`.
    """

    partition: int
    made_ms: int = 0
    next_sequence: int = 0
    wake_ms: int = NEVER_MS
    known: Known = field(default_factory=Known)
    waiting: dict[str, WebhookDelivery] = field(default_factory=dict)

    def head(self, now_ms: int) -> Iterator[WebhookDelivery]:
        """Those that nothing before them holds back."""
        for delivery in self.waiting.values():
            yield delivery
            if _holds_back(delivery, now_ms):
                return

    def next_ms(self, now_ms: int, busy: set[str]) -> int:
        """When something of it is due, or no longer held back."""
        moments = [NEVER_MS]
        for delivery in self.head(now_ms):
            if delivery.delivery_id not in busy:
                moments.append(delivery.due_ms)
            if delivery.attempts and _holds_back(delivery, now_ms):
                moments.append(delivery.attempts[0].at_ms + PATIENCE_MS)
        return min(moments)


class Lanes:
    """Fed with deliveries as they stand in the log, and with notices; asked what is due."""

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, Lane] = {}
        self._open: dict[LaneKey, Lane] = {}
        """Those of them in which something waits: few of a week's, and asked about in every round."""
        self._wakes: list[tuple[int, LaneKey]] = []
        self._busy: set[str] = set()
        self._notices: dict[int, int] = {}

    def load(self, partition: int, delivery: WebhookDelivery) -> None:
        """Take a delivery as a predecessor wrote it; in the order of their notices, and before any other notice."""
        self._notices[partition] = max(self._notices.get(partition, -1), delivery.notice_offset)
        self._put(partition, delivery, delivery.due_ms)

    def accept(self, partition: int, offset: int, notice: WebhookNotice) -> WebhookDelivery | None:
        """The delivery that a notice asks for; None if it was known."""
        if offset <= self._notices.get(partition, -1):
            return None
        self._notices[partition] = offset
        lane = self._lane(partition, (notice.session_id, notice.subscription_id))
        if notice.sequence is None and notice.delivery_id in lane.known:
            return None
        delivery = _delivery(notice, offset, lane.next_sequence)
        self._put(partition, delivery, delivery.due_ms)
        return delivery

    def drop(self, partitions: set[int]) -> None:
        """These are somebody else's by now."""
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.partition not in partitions}
        self._open = {key: lane for key, lane in self._open.items() if lane.partition not in partitions}
        for partition in partitions:
            self._notices.pop(partition, None)

    def forget(self, before_ms: int) -> None:
        """The lanes that nothing came to since, and in which nothing waits: the log does not tell of them any more."""
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.waiting or lane.made_ms >= before_ms}

    def due(self, now_ms: int) -> list[WebhookDelivery]:
        """What may be tried now, the longest due first. Each is to be `begin`ed or `defer`red."""
        found: list[WebhookDelivery] = []
        while self._wakes and self._wakes[0][0] <= now_ms:
            wake_ms, key = heapq.heappop(self._wakes)
            lane = self._lanes.get(key)
            if lane is None or lane.wake_ms != wake_ms:
                continue
            lane.wake_ms = NEVER_MS
            ready = [d for d in lane.head(now_ms) if d.due_ms <= now_ms and d.delivery_id not in self._busy]
            if not ready:
                self._wake(key, lane, lane.next_ms(now_ms, self._busy))
            found += ready
        return found

    def begin(self, delivery: WebhookDelivery, now_ms: int) -> None:
        """It is being tried."""
        self._busy.add(delivery.delivery_id)
        key = (delivery.session_id, delivery.subscription_id)
        if lane := self._lanes.get(key):
            self._wake(key, lane, lane.next_ms(now_ms, self._busy))

    def defer(self, delivery: WebhookDelivery, until_ms: int) -> None:
        """It cannot be tried before."""
        key = (delivery.session_id, delivery.subscription_id)
        if lane := self._lanes.get(key):
            self._wake(key, lane, until_ms)

    def finish(
        self, delivery: WebhookDelivery, attempt: DeliveryAttempt, status: DeliveryStatus, due_ms: int
    ) -> tuple[int, WebhookDelivery] | None:
        """Its partition, and what it is after the attempt; None if it is no longer ours."""
        self._busy.discard(delivery.delivery_id)
        lane = self._lanes.get((delivery.session_id, delivery.subscription_id))
        if lane is None or delivery.delivery_id not in lane.waiting:
            return None
        after = replace(delivery, attempts=(*delivery.attempts, attempt), status=status, due_ms=due_ms)
        self._put(lane.partition, after, attempt.at_ms)
        return lane.partition, after

    def unfinished(self, session_id: str, subscription_id: str) -> list[WebhookDelivery]:
        """A receiver's deliveries of a session that are not over, in order."""
        lane = self._lanes.get((session_id, subscription_id))
        return list(lane.waiting.values()) if lane else []

    @property
    def waiting(self) -> int:
        """How many deliveries are not over."""
        return sum(len(lane.waiting) for lane in self._open.values())

    @property
    def failing(self) -> Counter[str]:
        """By subscription, in how many lanes the first delivery was tried and not taken."""
        firsts = ((key, next(iter(lane.waiting.values()))) for key, lane in self._open.items())
        return Counter(subscription for (_, subscription), first in firsts if first.attempts)

    def _put(self, partition: int, delivery: WebhookDelivery, now_ms: int) -> None:
        key = (delivery.session_id, delivery.subscription_id)
        lane = self._lane(partition, key)
        lane.next_sequence = max(lane.next_sequence, delivery.sequence + 1)
        lane.known.add(delivery.delivery_id)
        lane.made_ms = max(lane.made_ms, delivery.created_at_ms)
        if delivery.status is DeliveryStatus.PENDING:
            lane.waiting[delivery.delivery_id] = delivery
        else:
            lane.waiting.pop(delivery.delivery_id, None)
        if lane.waiting:
            self._open[key] = lane
        else:
            self._open.pop(key, None)
        self._wake(key, lane, lane.next_ms(now_ms, self._busy))

    def _wake(self, key: LaneKey, lane: Lane, at_ms: int) -> None:
        if at_ms < lane.wake_ms:
            lane.wake_ms = at_ms
            heapq.heappush(self._wakes, (at_ms, key))

    def _lane(self, partition: int, key: LaneKey) -> Lane:
        return self._lanes.setdefault(key, Lane(partition))


def numbered(body: str, sequence: int) -> str:
    """The canonical body with its sequence number, which stands where sorting puts it."""
    return canonical({**json.loads(body), "sequence": sequence})


def _holds_back(delivery: WebhookDelivery, now_ms: int) -> bool:
    return not delivery.attempts or now_ms - delivery.attempts[0].at_ms < PATIENCE_MS


def _delivery(notice: WebhookNotice, offset: int, next_sequence: int) -> WebhookDelivery:
    sequence = next_sequence if notice.sequence is None else notice.sequence
    return WebhookDelivery(
        delivery_id=notice.delivery_id,
        session_id=notice.session_id,
        project_id=notice.project_id,
        subscription_id=notice.subscription_id,
        url=notice.url,
        trigger=notice.trigger,
        sequence=sequence,
        body=numbered(notice.body, sequence) if notice.sequence is None else notice.body,
        status=DeliveryStatus.PENDING,
        due_ms=notice.not_before_ms,
        created_at_ms=notice.created_at_ms,
        notice_offset=offset,
    )
