"""The worker's place in the group: a thread that polls, and tells the event loop what it learns.

On assignment the partitions of `app-sessions` are read from their beginning; only once a partition has been read to
where it ended at the assignment is it announced as active, and only then may its sessions be acted upon.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Protocol

from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.kafka.consumer import GroupConsumer, Listener, create_consumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError, OffsetOutOfRange
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import BEGINNING, Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.understanding import Understanding, Understood
from ingest import metrics
from schemas import topics
from schemas.keys import FOREIGN_KEY
from schemas.records import AppSession

log = get_logger(__name__)

GROUP = "ingest"
NO_PARTITIONS = "no partitions yet"


class Owner(Protocol):
    """What the event loop is told; every method is called in the loop."""

    def on_state(self, partition: int, session_id: str, state: AppSession | None) -> None: ...

    def on_active(self, partition: int) -> None: ...

    async def on_revoked(self, partitions: frozenset[int]) -> None: ...

    def on_lost(self, partitions: frozenset[int]) -> None: ...

    def on_broken(self, error: Exception) -> None: ...


class Membership(Listener):
    """Call `start` from the loop, `close` from a thread."""

    def __init__(
        self, settings: KafkaSettings, decoder: Decoder, owner: Owner, health: Health, hand_over_s: float
    ) -> None:
        self._settings = settings
        self._decoder = decoder
        self._owner = owner
        self._health = health
        self._directory = OffsetDirectory(settings)
        self._loading: dict[Place, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="membership", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._consumer: GroupConsumer | None = None
        self._hand_over_s = hand_over_s

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._health.ready(False, NO_PARTITIONS, "membership")
        self._thread.start()

    def close(self) -> None:
        """Leave the group, handing over what is held; returns when that is done."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def on_assigned(self, starts: dict[Place, int]) -> Mapping[Place, int]:
        self._loading |= self._directory.ends(starts)
        return dict.fromkeys(starts, BEGINNING)

    def on_revoked(self, revoked: list[Place]) -> None:
        partitions = self._forget(revoked)
        assert self._loop is not None
        done = asyncio.run_coroutine_threadsafe(self._owner.on_revoked(partitions), self._loop)
        try:
            done.result(self._hand_over_s)
        except FutureTimeoutError:
            done.cancel()
            log.warning("hand-over took too long", partitions=len(partitions))

    def on_lost(self, lost: list[Place]) -> None:
        self._tell(self._owner.on_lost, self._forget(lost))

    def _forget(self, gone: list[Place]) -> frozenset[int]:
        for place in gone:
            self._loading.pop(place, None)
        return frozenset(place.partition for place in gone)

    def _run(self) -> None:
        try:
            consumer = create_consumer(self._settings, group=GROUP, topics=[topics.APP_SESSIONS], listener=self)
            self._follow(consumer)
            consumer.close()
        except Exception as error:  # the thread's edge
            log.exception("membership ended")
            self._tell(self._owner.on_broken, error)

    def _follow(self, consumer: GroupConsumer) -> None:
        """Until told to stop. Without membership the process is of no use, and knows that before the group is left:
        to leave it waits for Kafka's client, maybe for ever."""
        try:
            understanding = Understanding(consumer, self._decoder)
            while not self._stopping.is_set():
                self._step(consumer, understanding)
        except Exception as error:
            log.exception("membership failed")
            self._tell(self._owner.on_broken, error)

    def _step(self, consumer: GroupConsumer, understanding: Understanding) -> None:
        try:
            records = consumer.consume()
        except OffsetOutOfRange as error:
            log.warning("reading a partition's sessions anew", partition=error.place.partition)
            consumer.seek(error.place, BEGINNING)  # compaction only removes what a newer record replaces
            return
        except Fatal:
            raise
        except KafkaError as error:
            log.warning("cannot read sessions", code=error.code)
            self._stopping.wait(0.5)
            return
        for understood in understanding.of(records):
            self._hand_on(understood)
        for place in [place for place, end in self._loading.items() if self._reached(consumer, place, end)]:
            del self._loading[place]
            self._tell(self._owner.on_active, place.partition)
        held = consumer.assignment()
        self._health.ready(bool(held) and not self._loading, NO_PARTITIONS, "membership")

    @staticmethod
    def _reached(consumer: GroupConsumer, place: Place, end: int) -> bool:
        return place in consumer.assignment() and consumer.position(place) >= end

    def _hand_on(self, understood: Understood) -> None:
        record, state, refusal = understood
        session_id = (record.key or b"").decode(errors="replace")
        if isinstance(state, AppSession) and state.session_id != session_id:
            refusal = FOREIGN_KEY  # with an item's id behind it a key may name a session, but not the session's state
        if refusal:
            metrics.UNREADABLE.labels(topics.APP_SESSIONS.name).inc()
            log.error("state skipped", partition=record.partition, offset=record.offset, reason=refusal)
            return
        assert state is None or isinstance(state, AppSession)
        self._tell(self._owner.on_state, record.partition, session_id, state)

    def _tell(self, method: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(method, *arguments)
