"""States what retention took before a reader got there: an out-of-range offset is never passed over in silence.

What stood in the stretch that is gone, nobody can read any more; but every session keeps its partition on every topic,
and `app-sessions` is compacted and so still tells which sessions there are. A hole is stated for each of those that the
loss can concern, before the reader goes on. Nothing is held open for it: it happens to those who were away for days.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from connectors.host.clock import Clock, SystemClock
from connectors.host.logs import get_logger
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Undecodable
from schemas.records import AppSession, FactKind, Hole, SessionFact
from schemas.sessions import TERMINAL, Awaited
from schemas.topics import APP_SESSIONS, SESSION_FACTS

log = get_logger(__name__)

CAUSE = "retention"
LOAD_TIMEOUT_S = 15.0
DELIVERY_TIMEOUT_MS = 10_000
"""Together less than a group gives its members between two polls."""

Concerns = Callable[[AppSession], bool]
"""Whether a session may have had something in what is lost."""


def awaiting(what: Awaited) -> Concerns:
    """The sessions of which this is not complete yet: for readers that make or store it."""
    return lambda session: what in session.awaiting


def unfinished(session: AppSession) -> bool:
    """For the reader of the facts themselves."""
    return session.state not in TERMINAL


def facts_of_loss(place: Place, until_ms: int, reader: str, sessions: Iterable[AppSession]) -> Iterator[SessionFact]:
    """A fact for each session that began before `until_ms`, when the first record that is left was appended. Pure.

    The hole is the longest that it can be, for the times of what is gone are gone as well.
    """
    medium, cause = place.topic.removeprefix("rtms."), f"{CAUSE}: not read by {reader}"
    for session in sessions:
        if session.created_at_ms < until_ms:
            hole = Hole(medium=medium, from_ms=session.created_at_ms, to_ms=until_ms, cause=cause)
            yield SessionFact(session_id=session.session_id, kind=FactKind.HOLE_FOUND, source=reader, hole=hole)


class Losses:
    """What one reader, named by its consumer group, has to say about its losses; safe to use from any thread."""

    def __init__(self, settings: KafkaSettings, decoder: Decoder, reader: str, clock: Clock | None = None) -> None:
        self._settings, self._decoder, self._reader = settings, decoder, reader
        self._clock = clock or SystemClock()

    def state(self, place: Place, concerns: Concerns) -> int:
        """State that `place` lost what stood before its first record that is left; for how many sessions.

        Blocks until Kafka has the facts. To be called before reading on; a second call states the same again.

        Raises:
            KafkaError: not all of it is stated.
        """
        with closing(PartitionLoader(self._settings, f"losses-{self._reader}")) as loader:
            with closing(loader.load([place], LOAD_TIMEOUT_S)) as left:
                first = next(left, None)
            sessions = [session for session in self._sessions(loader, place.partition) if concerns(session)]
        until_ms = first.timestamp_ms if first else self._clock.now_ms()
        facts = list(facts_of_loss(place, until_ms, self._reader, sessions))
        self._write(place.partition, facts)
        log.error("records were deleted before they were read", topic=place.topic, partition=place.partition,
                  sessions=len(facts))  # fmt: skip
        return len(facts)

    def _sessions(self, loader: PartitionLoader, partition: int) -> list[AppSession]:
        newest: dict[bytes, bytes | None] = {}
        for record in loader.load([Place(APP_SESSIONS.name, partition)], LOAD_TIMEOUT_S):
            newest[record.key or b""] = record.value
        states = [self._decoded(value) for value in newest.values() if value is not None]
        return [state for state in states if state is not None]

    def _decoded(self, value: bytes) -> AppSession | None:
        try:
            state = self._decoder.decode(APP_SESSIONS, value)
        except Undecodable:
            return None  # every owner of the partition counts it
        return state if isinstance(state, AppSession) else None

    def _write(self, partition: int, facts: list[SessionFact]) -> None:
        if not facts:
            return
        settings = self._settings.model_copy(update={"delivery_timeout_ms": DELIVERY_TIMEOUT_MS})
        producer = create_producer(settings, CONTROL)
        try:
            sent = [
                producer.send_future(
                    SESSION_FACTS, fact.session_id.encode(), self._decoder.codec.encode(SESSION_FACTS, fact), partition
                )
                for fact in facts
            ]
            for future in sent:
                future.result()
        finally:
            producer.close()
