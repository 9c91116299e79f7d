"""Takes over what a predecessor left of the deliveries, and lets go of what another one is to carry out.

There may be millions of a week, most of them over. So only those that wait are held while the log is read, and the
member goes on polling meanwhile: it would lose its partitions.
"""

from collections.abc import Generator
from typing import Any

from connectors.host.clock import Clock, SystemClock
from connectors.host.logs import get_logger
from connectors.kafka.consumer import Listener
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import TimedOut
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place, Record
from schemas import topics
from schemas.codec import Undecodable
from schemas.records import DeliveryStatus, WebhookDelivery
from sinks.webhooks.lanes import Lanes

log = get_logger(__name__)

AT_A_TIME_S = 1.0
"""Lanes that are held already wait for that."""


class Ownership(Listener):
    """Reads what a predecessor left of the partitions that come, forgets those that go."""

    def __init__(
        self, lanes: Lanes, loader: PartitionLoader, decoder: Decoder, timeout_s: float, clock: Clock | None = None
    ) -> None:
        self._lanes, self._loader, self._decoder, self._timeout_s = lanes, loader, decoder, timeout_s
        self._clock = clock or SystemClock()
        self._coming: frozenset[int] = frozenset()
        self._left: Generator[Record, Any, None] | None = None
        self._waiting: dict[bytes, tuple[int, WebhookDelivery]] = {}

    def on_assigned(self, starts: dict[Place, int]) -> None:
        """Read on for a while. Raises TimedOut until all is read: then it is called again."""
        coming = frozenset(place.partition for place in starts)
        if self._left is None or coming != self._coming:
            self._begin(coming)
        try:
            is_all = self._read_on()
        except BaseException:
            self._forget()
            raise
        if not is_all:
            raise TimedOut("a predecessor's deliveries are still being read")
        # Compaction leaves a delivery where it was written last: behind later ones, where it was tried meanwhile.
        for partition, delivery in sorted(self._waiting.values(), key=lambda found: found[1].notice_offset):
            self._lanes.load(partition, delivery)
        self._forget()
        log.info("deliveries loaded", partitions=len(coming), waiting=self._lanes.waiting)

    def on_revoked(self, revoked: list[Place]) -> None:
        """What is being read may have gone, too, and somebody else write there: that is read anew if it comes back."""
        self._forget()
        self._lanes.drop({place.partition for place in revoked})

    def on_lost(self, lost: list[Place]) -> None:
        self.on_revoked(lost)

    def _begin(self, coming: frozenset[int]) -> None:
        self._forget()
        self._lanes.drop(set(coming))
        places = [Place(topics.WEBHOOK_DELIVERIES.name, partition) for partition in sorted(coming)]
        self._coming, self._left = coming, self._loader.load_all(places, self._timeout_s)

    def _forget(self) -> None:
        if self._left is not None:
            self._left.close()
        self._left, self._waiting = None, {}

    def _read_on(self) -> bool:
        """Whether that was all."""
        assert self._left is not None
        until_s = self._clock.monotonic() + AT_A_TIME_S
        for record in self._left:
            self._take(record)
            if self._clock.monotonic() >= until_s:
                return False
        return True

    def _take(self, record: Record) -> None:
        key = record.key or b""
        delivery = None if record.value is None else self._delivery(record.value)
        if delivery is not None and delivery.status is DeliveryStatus.PENDING:
            self._waiting[key] = record.partition, delivery
            return
        if record.value is None or delivery is not None:
            self._waiting.pop(key, None)
        if delivery is not None:
            self._lanes.load(record.partition, delivery)

    def _delivery(self, value: bytes) -> WebhookDelivery | None:
        try:
            found = self._decoder.decode(topics.WEBHOOK_DELIVERIES, value)
        except Undecodable:
            return None
        return found if isinstance(found, WebhookDelivery) else None
