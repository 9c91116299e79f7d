"""Whether a producer is stuck: whether records do not move although Kafka would take them. Pure.

librdkafka can lose a partition while a broker goes and comes: it neither sends what waits for it nor gives it up before
its time, as long as the client lives. Seen from inside, an outage is the same. So two things have to hold for long:
records of a partition wait and none is acknowledged, and its leader answers somebody who asks anew. Only time in which
somebody looked counts: a process that slept has not waited.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from connectors.kafka.records import Place

LOOK_S = 5.0
"""Between two looks at the client's statistics."""

SUSPICIOUS_S = 15.0
"""Without progress: then the cluster is asked, at every look."""

PATIENCE_S = 30.0
"""Of standing still while the leader answers others and nothing is on its way to it: time to connect several times."""

ANSWER_PATIENCE_S = 75.0
"""The same while something is: the library gives up a request on a connection that went dead after a minute."""


class Waiting(NamedTuple):
    """How far a partition has come, in the library's numbers, and whether some of what waits is on its way."""

    acked: int
    is_sent: bool


class _Partition(msgspec.Struct):
    msgq_cnt: int
    xmit_msgq_cnt: int
    msgs_inflight: int
    acked_msgid: int


class _Topic(msgspec.Struct):
    partitions: dict[str, _Partition]


class _Statistics(msgspec.Struct):
    topics: dict[str, _Topic]


_STATISTICS = msgspec.json.Decoder(_Statistics)


def waiting(statistics: str) -> dict[Place, Waiting]:
    """Of librdkafka's statistics the partitions with records that are not acknowledged."""
    return {
        Place(name, int(number)): Waiting(partition.acked_msgid, partition.msgs_inflight > 0)
        for name, topic in _STATISTICS.decode(statistics).topics.items()
        for number, partition in topic.partitions.items()
        if partition.msgq_cnt + partition.xmit_msgq_cnt + partition.msgs_inflight and int(number) >= 0
    }


@dataclass(slots=True)
class _Standing:
    """A partition that stands at `acked`; times are in seconds that were watched.

    `is_sent`: something was on its way to the leader since that answers others.
    """

    acked: int
    since_s: float
    led_since_s: float | None = None
    is_sent: bool = False

    def is_stuck(self, now_s: float) -> bool:
        """Whether its leader has answered for too long."""
        patience_s = ANSWER_PATIENCE_S if self.is_sent else PATIENCE_S
        return self.led_since_s is not None and now_s - self.led_since_s >= patience_s


class Standstill:
    """What is known of one producer's partitions."""

    def __init__(self) -> None:
        self._standing: dict[Place, _Standing] = {}
        self._watched_s = 0.0
        self._looked_s: float | None = None

    def look(self, waiting: Mapping[Place, Waiting], now_s: float) -> None:
        """What `waiting` says now; one that does not wait any more, or has come further, starts anew."""
        if self._looked_s is not None:
            self._watched_s += min(now_s - self._looked_s, 2 * LOOK_S)
        self._looked_s = now_s
        self._standing = {place: self._standing_at(place, one) for place, one in waiting.items()}

    def hear(self, asked: Collection[Place], led: Collection[Place]) -> frozenset[Place]:
        """Of those `asked` for, these have a leader that answers and enough replicas. Returns those that are stuck."""
        stuck = set()
        for place in asked:
            standing = self._standing.get(place)
            if standing is None:
                continue
            if place not in led:
                standing.led_since_s = None
            elif standing.led_since_s is None:
                standing.led_since_s, standing.is_sent = self._watched_s, False
            elif standing.is_stuck(self._watched_s):
                stuck.add(place)
        return frozenset(stuck)

    @property
    def suspects(self) -> frozenset[Place]:
        """What the cluster is to be asked about."""
        return frozenset(
            place for place, standing in self._standing.items() if self._watched_s - standing.since_s >= SUSPICIOUS_S
        )

    def _standing_at(self, place: Place, waiting: Waiting) -> _Standing:
        known = self._standing.get(place)
        standing = (
            known if known is not None and known.acked == waiting.acked else _Standing(waiting.acked, self._watched_s)
        )
        standing.is_sent |= waiting.is_sent
        return standing


class Undoing:
    """Transactions of one producer that are aborted one soon after the other: one that is stuck never commits again."""

    def __init__(self) -> None:
        self._since_s, self._last_s = 0.0, -math.inf

    def aborted(self, now_s: float) -> bool:
        """Whether this has gone on for too long, so that the leaders are to be asked."""
        if now_s - self._last_s >= PATIENCE_S:
            self._since_s = now_s
        self._last_s = now_s
        return now_s - self._since_s >= ANSWER_PATIENCE_S

    def committed(self) -> None:
        """It is not stuck."""
        self._last_s = -math.inf
