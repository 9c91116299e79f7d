"""Which sessions' data is deleted, or their transcripts: what whoever stores something of them has to know, twice.

A store has no fence, so the order of two looks has to do: a writer writes and *then* makes sure, by everything that is
in `app-sessions` by then, that what it wrote is not deleted; whoever erases knows of the deletion and *then* looks what
there is. One of the two sees the other, whichever comes first.
"""

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import NamedTuple, Self

from connectors.host.clock import Clock
from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.signals import StopSignal
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import TimedOut
from connectors.kafka.metrics import READER_FAILURES
from connectors.kafka.records import Record
from connectors.kafka.registry import RegistryError
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.terms import Terms
from connectors.kafka.view import TopicView
from schemas import deletion
from schemas.codec import Undecodable
from schemas.deletion import Part
from schemas.ids import partition_of
from schemas.keys import names, session_of
from schemas.records import AppSession, SessionFact
from schemas.records import Record as Value
from schemas.topics import APP_SESSIONS

log = get_logger(__name__)

CATCH_UP_S = 10.0
READY_POLL_S = 0.02


class Deleted(NamedTuple):
    """A session whose data is to be gone; `missing` is what nobody has said of yet that it is.

    With `said_until_ms` it is the transcript alone, what was said up to then, and `asked_at_ms` tells which deletion.
    """

    session_id: str
    project_id: str
    partition: int
    missing: frozenset[str]
    said_until_ms: int | None = None
    asked_at_ms: int | None = None

    @classmethod
    def of(cls, session: AppSession, partition: int, parts: Iterable[str] = tuple(Part)) -> Self | None:
        """What of the session is deleted, if anything is: all data, which has these parts, or the transcript."""
        if session.deletion is not None:
            return cls(session.session_id, session.project_id, partition, deletion.missing(session.deletion, parts))
        asked = session.transcript_deletion
        if asked is None:
            return None
        missing, until_ms = deletion.missing(asked, deletion.OF_TRANSCRIPT), deletion.said_until_ms(session)
        return cls(session.session_id, session.project_id, partition, missing, until_ms, asked.asked_at_ms)

    @property
    def is_whole(self) -> bool:
        """Whether all data is meant."""
        return self.said_until_ms is None

    def covers(self, record: Value) -> bool:
        """Whether a record of the session, or what became of it, is to be gone."""
        if self.said_until_ms is None:
            return deletion.is_content(record)
        return deletion.is_said(record, self.said_until_ms)

    def about(self, fact: SessionFact) -> SessionFact:
        """A fact of how far it is, saying which deletion is meant."""
        return replace(fact, as_of_ms=self.asked_at_ms)


Hear = Callable[[Record, AppSession | None], None]
"""Called in the view's thread with every state as it is read; None: it is archived."""


class Deletions:
    """Written by a view's thread, read by any. `terms` knows whose data is to be deleted when.

    What is archived is forgotten: that happens when all is erased, and nothing can be late any more
    (`sinks.clickhouse.archiving`).
    """

    def __init__(
        self,
        settings: KafkaSettings,
        decoder: Decoder,
        clock: Clock | None = None,
        parts: Iterable[str] = tuple(Part),
        hear: Hear | None = None,
    ) -> None:
        """`parts` are those that somebody erases, as far as this process knows; `hear` is told of all states."""
        self._partitions = settings.partitions
        self._parts = tuple(parts)
        self._decoder = decoder
        self._hear = hear
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._unexplained: dict[str, Record] = {}
        self._deleted: dict[str, Deleted] = {}
        self._unfinished: dict[str, Deleted] = {}
        self.terms = Terms()
        self._view = TopicView(settings, APP_SESSIONS, self._apply, clock=clock)

    def start(self, health: Health, stop: StopSignal) -> Self:
        """Know all that is deleted by now, or stop waiting when told to stop."""
        self._view.start()
        health.ready(False, "reading which sessions are deleted", "deletions")
        while not self._view.ready and not stop.wait_thread(READY_POLL_S):
            health.beat()
        health.ready(self._view.ready, "reading which sessions are deleted", "deletions")
        return self

    def close(self) -> None:
        """Stop reading."""
        self._closing.set()
        self._view.close()

    def get(self, session_id: str) -> Deleted | None:
        """What of the session is deleted, as far as is known."""
        return self._deleted.get(session_id)

    def is_whole(self, session_id: str) -> bool:
        """Whether all of the session's data is deleted, as far as is known."""
        found = self._deleted.get(session_id)
        return found is not None and found.is_whole

    def by_now(self, session_ids: Collection[str], timeout_s: float = CATCH_UP_S) -> frozenset[str]:
        """Those of which something is deleted, with everything known that was there at the call.

        Raises TimedOut and KafkaError: it is not known, so nothing may rely on it.
        """
        if not session_ids:
            return frozenset()
        self._view.wait_to_stable_end({partition_of(key, self._partitions) for key in session_ids}, timeout_s)
        if any(key in self._unexplained for key in session_ids):
            raise TimedOut("only the registry can explain whether a session is deleted, and it is away")
        return frozenset(key for key in session_ids if key in self._deleted)

    def unfinished(self, parts: Iterable[str], partitions: Collection[int]) -> list[Deleted]:
        """The sessions in these partitions of which one of these parts is not said to be erased."""
        wanted = frozenset(parts)
        return [
            found
            for found in list(self._unfinished.values())
            if found.missing & wanted and found.partition in partitions
        ]

    def _apply(self, record: Record) -> None:
        """What only a registry that is away can explain is left to a thread that waits for it."""
        session_id = session_of(record.key)
        if session_id is None:
            return
        if record.value is None:
            with self._lock:
                self._unexplained.pop(session_id, None)
                self._forget(record, session_id)
            return
        try:
            state = self._decoded(record.value)
        except RegistryError:
            with self._lock:
                is_first = not self._unexplained
                self._unexplained[session_id] = record
                if is_first:
                    threading.Thread(target=self._explain, name="unexplained", daemon=True).start()
            return
        with self._lock:
            self._unexplained.pop(session_id, None)
            self._know(record, state)

    def _explain(self) -> None:
        while (record := self._next_unexplained()) is not None:
            try:
                state = self._explained(record)
                if self._closing.is_set():
                    return
                self._settle(record, state)
            except Exception:  # as in the view's thread: one bad record must not silence all that wait behind it
                READER_FAILURES.labels("unexplained").inc()
                log.exception("a record could not be explained", partition=record.partition, offset=record.offset)
                self._settle(record, None)

    def _explained(self, record: Record) -> Value | None:
        try:
            return self._decoder.decode_patiently(APP_SESSIONS, record.value or b"", self._closing.wait)
        except Undecodable:
            return None  # lifecycle counts it

    def _settle(self, record: Record, state: Value | None) -> None:
        """Know it, unless something newer is known; whatever comes of that, nobody waits for it any more."""
        session_id = session_of(record.key) or ""
        with self._lock:
            if self._unexplained.get(session_id) is not record:
                return
            try:
                self._know(record, state)
            finally:
                del self._unexplained[session_id]

    def _next_unexplained(self) -> Record | None:
        with self._lock:
            return next(iter(self._unexplained.values()), None)

    def _decoded(self, value: bytes) -> Value | None:
        try:
            return self._decoder.decode(APP_SESSIONS, value)
        except Undecodable:
            return None  # lifecycle counts it

    def _forget(self, record: Record, session_id: str) -> None:
        self.terms.forget(session_id)
        self._unfinished.pop(session_id, None)
        self._deleted.pop(session_id, None)
        if self._hear is not None:
            self._hear(record, None)

    def _know(self, record: Record, state: Value | None) -> None:
        if not isinstance(state, AppSession) or not names(record.key, state):
            return
        if self._hear is not None:
            self._hear(record, state)
        self.terms.know(state, record.partition)
        found = Deleted.of(state, record.partition, self._parts)
        if found is None:
            return
        if found.missing:
            self._unfinished[state.session_id] = found
        else:
            self._unfinished.pop(state.session_id, None)
        self._deleted[state.session_id] = found
