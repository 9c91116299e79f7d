"""Follows everybody's claims: how a worker that was frozen or cut off learns that somebody else took its sessions.

And announcements, of which the state says nothing when they repeat what is known: of a stream that was stopped, such a
one means that it begins anew.
"""

import asyncio
import threading
from collections.abc import Callable

from connectors.host.logs import get_logger
from connectors.host.waiting import Waiting
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError, OffsetOutOfRange
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import Reader
from connectors.kafka.records import BEGINNING, Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Undecodable
from schemas.keys import names
from schemas.records import FactKind, SessionFact

log = get_logger(__name__)

ASK_S = 5.0

OnClaim = Callable[[str, str, int], object]
"""Called in the event loop with the session, the worker that claims it and the epoch."""

OnAnnounced = Callable[[str], None]
"""Called in the event loop with the session whose stream is announced."""


class ClaimsTail:
    """Reads all of `session-facts` from its end as of `start`; what was claimed before is in the states."""

    def __init__(
        self,
        settings: KafkaSettings,
        decoder: Decoder,
        on_claim: OnClaim,
        on_announced: OnAnnounced,
        on_broken: Callable[[Exception], None],
    ) -> None:
        self._places = [Place(topics.SESSION_FACTS.name, number) for number in range(settings.partitions)]
        self._reader = Reader(settings, "claims", is_polled=True)
        self._directory = OffsetDirectory(settings)
        self._decoder = decoder
        self._on_claim, self._on_announced, self._on_broken = on_claim, on_announced, on_broken
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="claims", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, waiting: Waiting) -> None:
        """Return once it is known where the topic ends; `waiting` is for Kafka."""
        self._loop = asyncio.get_running_loop()
        self._reader.assign(await asyncio.to_thread(self._ends, waiting))
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._reader.close()

    def _ends(self, waiting: Waiting) -> dict[Place, int]:
        try:
            while not self._stopping.is_set():
                try:
                    return self._directory.ends(self._places, ASK_S)
                except KafkaError as error:
                    if not error.retryable:
                        raise
                    waiting.begin(self, str(error))
            return {}
        finally:
            waiting.end(self)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._step()
        except Exception as error:  # the thread's edge: deaf to claims, this worker would hold what others hold
            log.exception("claims are not followed any more")
            self._tell(self._on_broken, error)

    def _step(self) -> None:
        try:
            records = self._reader.consume()
        except OffsetOutOfRange as error:  # claims that nobody can read any more are older than every claim held
            log.error("claims were deleted before they were read", partition=error.place.partition)
            self._reader.assign(self._reader.positions() | {error.place: BEGINNING})
            return
        except Fatal:
            raise
        except KafkaError as error:
            log.warning("cannot follow claims", code=error.code)
            self._stopping.wait(0.5)
            return
        for record in records:
            self._hand_on(record)

    def _hand_on(self, record: Record) -> None:
        try:
            fact = self._decoder.decode_patiently(topics.SESSION_FACTS, record.value or b"", self._stopping.wait)
        except Undecodable:
            return  # lifecycle puts it among the dead letters
        if not (isinstance(fact, SessionFact) and names(record.key, fact)):
            return
        if fact.kind is FactKind.CLAIMED:
            self._tell(self._on_claim, fact.session_id, fact.worker or "", record.offset)
        elif fact.kind is FactKind.REQUESTED:
            self._tell(self._on_announced, fact.session_id)

    def _tell(self, method: Callable[..., object], *arguments: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(method, *arguments)
