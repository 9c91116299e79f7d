"""A topic that this replica follows, decoded, and the two questions a handler asks about it: has my own record been
applied, and has everything been applied that was there when I was asked.

"Not found" is only ever said after the second one. Asking the broker where a topic ends costs a round trip, so all who
ask at the same time share one; but never one that began before they asked.
"""

import asyncio
import threading
from collections.abc import Callable

from api.metrics import UNREADABLE
from connectors.host.logs import get_logger
from connectors.kafka.decoder import Decoder
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from schemas.codec import Undecodable
from schemas.keys import keyed
from schemas.records import Record as Value
from schemas.topics import Topic

log = get_logger(__name__)

Apply = Callable[[str, Value | None], None]
"""Called in the view's thread with a record's key and value (None: deleted), in log order."""


class Followed:
    """One topic; `start` it, `close` it."""

    def __init__(self, settings: KafkaSettings, decoder: Decoder, topic: Topic, apply: Apply) -> None:
        self._topic = topic
        self._decoder = decoder
        self._apply = apply
        self._closing = threading.Event()
        self._view = TopicView(settings, topic, self._take)
        self._running: asyncio.Task[bool] | None = None
        self._next: asyncio.Task[bool] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether everything that was there at first has been applied."""
        return self._view.ready

    @property
    def is_connected(self) -> bool:
        """Whether brokers are reached, and so whether there may be anything new."""
        return self._view.is_connected

    def start(self) -> "Followed":
        """Begin to follow."""
        self._view.start()
        return self

    def close(self) -> None:
        """Stop; whoever waits is told no."""
        self._closing.set()
        self._view.close()

    async def applied(self, partition: int, offset: int, timeout_s: float) -> bool:
        """Wait until the record at `offset` has been applied; false when it was not in time."""
        return await self._view.wait_until_async(partition, offset, timeout_s)

    async def caught_up(self, timeout_s: float) -> bool:
        """Wait until everything has been applied that is in the topic now; false when it was not in time."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._view.wait_to_end_async(timeout_s))
            return await asyncio.shield(self._running)
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._after(self._running, timeout_s))
        return await asyncio.shield(self._next)

    async def _after(self, running: "asyncio.Task[bool]", timeout_s: float) -> bool:
        await asyncio.wait([running])
        self._running, self._next = self._next, None
        return await self._view.wait_to_end_async(timeout_s)

    def _take(self, record: Record) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._apply(key, None)
            return
        value = self._decoded(record)
        if value is not None:
            self._hand_on(key, value, record)

    def _hand_on(self, key: str, value: Value, record: Record) -> None:
        self._apply(key, value)

    def _decoded(self, record: Record) -> Value | None:
        assert record.value is not None
        try:
            value = self._decoder.decode_patiently(self._topic, record.value, self._closing.wait)
            return None if value is None else keyed(record.key, value)
        except Undecodable as error:
            UNREADABLE.labels(self._topic.name).inc()
            log.error("record skipped", topic=record.topic, partition=record.partition, offset=record.offset,
                      reason=error.reason)  # fmt: skip
            return None


ApplyAppended = Callable[[Value, int, int], None]
"""Called in the view's thread with a record's value, its offset and when the broker appended it (Unix ms)."""


class FollowedLog(Followed):
    """A topic whose records count by where they stand, not by their keys."""

    def __init__(self, settings: KafkaSettings, decoder: Decoder, topic: Topic, apply_appended: ApplyAppended) -> None:
        super().__init__(settings, decoder, topic, _nothing)
        self._apply_appended = apply_appended

    def _hand_on(self, key: str, value: Value, record: Record) -> None:
        self._apply_appended(value, record.offset, record.timestamp_ms)


def _nothing(_key: str, _value: Value | None) -> None:
    """A log has no tombstones."""
