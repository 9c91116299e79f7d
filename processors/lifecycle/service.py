"""Runs the fold: facts in, states and changes out, in one Kafka transaction with the input offsets.

Nobody else writes `app-sessions` and `session-changes`, and every output goes to its input's partition number, so each
partition has one writer. The states of assigned partitions are read to their end (after the committed offsets, which
wait for a predecessor's transaction) before the first fact is folded.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.waiting import RETRY_S
from connectors.kafka.consumer import GroupConsumer, Listener
from connectors.kafka.dead_letters import Notices, Origin, encoded, letter_of
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Abort, KafkaError, OffsetOutOfRange
from connectors.kafka.losses import Losses, unfinished
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import BEGINNING, Place
from connectors.kafka.records import Record as KafkaRecord
from connectors.kafka.registry import RegistryError
from connectors.kafka.transactions import TransactionalProducer
from connectors.kafka.understanding import Understanding, Understood
from processors.lifecycle import metrics, spans
from processors.lifecycle.batch import FoldedBatch, StatedFact, fold_batch
from processors.lifecycle.settings import LifecycleSettings
from schemas import topics
from schemas.codec import NO_HEADER, Undecodable
from schemas.keys import FOREIGN_KEY
from schemas.records import AppSession, DeadLetter, FactKind, Record, SessionFact
from schemas.sessions import State
from schemas.topics import Topic

log = get_logger(__name__)

GROUP = "lifecycle"
NO_PARTITIONS = "no partitions assigned"
STATES = "states"
KNOWN_STATES = frozenset(State)
MAX_FACT_BYTES = 64 * 1024
"""A state holds what a few facts said, and has to fit into a record."""

TOO_LARGE = "larger than any fact"
NOT_REQUESTED = "a fact about a session that was never requested"


class States(Listener):
    """The states of the sessions in the partitions held."""

    def __init__(self, loader: PartitionLoader, decoder: Decoder, timeout_s: float) -> None:
        self._loader, self._decoder, self._timeout_s = loader, decoder, timeout_s
        self._by_partition: dict[int, dict[str, AppSession]] = {}
        self._raw: dict[int, deque[KafkaRecord]] = {}

    def on_assigned(self, starts: dict[Place, int]) -> None:
        places = [Place(topics.APP_SESSIONS.name, place.partition) for place in starts]
        loaded: dict[int, deque[KafkaRecord]] = {place.partition: deque() for place in places}
        for record in self._loader.load(places, self._timeout_s):
            loaded[record.partition].append(record)
        self._raw |= loaded
        self._by_partition |= {number: {} for number in loaded}
        with suppress(RegistryError):  # nobody can wait in this callback: it is tried again before the first fold
            self.decode(loaded)
        log.info("states loaded", partitions=len(places), sessions=sum(len(self._by_partition[n]) for n in loaded))

    def decode(self, partitions: Iterable[int]) -> None:
        """Know the states of these. Raises RegistryError; what is decoded by then stays so."""
        for number in partitions:
            raw = self._raw.get(number, deque())
            while raw:
                self._load(raw[0], self._by_partition[number])
                raw.popleft()
        self._measure()

    def on_revoked(self, revoked: list[Place]) -> None:
        for place in revoked:
            self._by_partition.pop(place.partition, None)
            self._raw.pop(place.partition, None)
        self._measure()

    def on_lost(self, lost: list[Place]) -> None:
        self.on_revoked(lost)

    def all(self) -> dict[str, AppSession]:
        return {key: state for states in self._by_partition.values() for key, state in states.items()}

    def of(self, partitions: set[int]) -> dict[str, AppSession]:
        return {key: state for number in partitions for key, state in self._by_partition.get(number, {}).items()}

    def adopt(self, folded: FoldedBatch) -> None:
        """Make the states of a committed batch the current ones."""
        for session_id, state in folded.states.items():
            states = self._by_partition[folded.partitions[session_id]]
            if state is None:
                states.pop(session_id, None)
            else:
                states[session_id] = state
        self._measure()

    def _measure(self) -> None:
        metrics.STATES.set(sum(len(states) for states in self._by_partition.values()))

    def _load(self, record: KafkaRecord, into: dict[str, AppSession]) -> None:
        session_id = (record.key or b"").decode(errors="replace")
        if record.value is None:
            into.pop(session_id, None)
            return
        try:
            state = self._decoder.decode(topics.APP_SESSIONS, record.value)
        except Undecodable as error:  # nobody but us writes here, so somebody did what nobody should
            metrics.UNREADABLE.inc()
            log.error("state skipped", partition=record.partition, offset=record.offset, reason=error.reason)
            return
        assert isinstance(state, AppSession)
        if state.session_id != session_id or state.state not in KNOWN_STATES:
            metrics.UNREADABLE.inc()
            reason = FOREIGN_KEY if state.session_id != session_id else "no state that a session can be in"
            log.error("state skipped", partition=record.partition, offset=record.offset, reason=reason)
            return
        into[session_id] = state


@dataclass(frozen=True, slots=True)
class Connections:
    """What the service works with; `consumer` has `states` as its listener."""

    consumer: GroupConsumer
    producer: TransactionalProducer
    decoder: Decoder
    states: States
    losses: Losses


class Lifecycle:
    """One lifecycle process; `step` once is one round of its loop."""

    def __init__(
        self, connections: Connections, settings: LifecycleSettings, health: Health, facts_topic_id: str
    ) -> None:
        self._consumer = connections.consumer
        self._producer = connections.producer
        self._decoder = connections.decoder
        self._states = connections.states
        self._losses = connections.losses
        self._understanding = Understanding(connections.consumer, connections.decoder)
        self._settings = settings
        self._health = health
        self._facts_topic_id = facts_topic_id
        self._notices = Notices()
        health.ready(False, NO_PARTITIONS, "assignment")

    def step(self) -> None:
        """Fold what is there.

        Raises:
            Fatal: this process was replaced or its producer is broken; leave.
            KafkaError: facts were deleted unread, and Kafka does not take that; a successor meets the same.
        """
        self._health.beat()
        understood = list(self._understanding.of(self._read()))
        self._health.ready(bool(self._consumer.assignment()), NO_PARTITIONS, "assignment")
        if understood and self._knows_states(understood):
            self._fold(understood)

    def _read(self) -> list[KafkaRecord]:
        linger_s = self._settings.batch_linger_ms / 1000
        try:
            return self._consumer.consume(self._settings.batch_records, wait_s=0.1, linger_s=linger_s)
        except OffsetOutOfRange as error:
            # What is read again is known by its offset; what is gone, nobody can fold.
            self._losses.state(error.place, unfinished)
            self._consumer.seek(error.place, BEGINNING)
            return []

    def _knows_states(self, understood: list[Understood]) -> bool:
        """Whether the states that these facts are folded onto are known; else the facts are put back."""
        try:
            self._states.decode({item.record.partition for item in understood})
        except RegistryError as error:
            self._decoder.waiting.begin(STATES, str(error))
            self._consumer.put_back(_first(item.record for item in understood), RETRY_S)
            return False
        self._decoder.waiting.end(STATES)
        return True

    def _fold(self, understood: list[Understood]) -> None:
        facts, letters = self._stated(understood)
        records = [item.record for item in understood]
        folded = fold_batch(self._states.of({record.partition for record in records}), facts, self._facts_topic_id)
        states = self._encoded_states(folded, facts)
        raw = {(record.partition, record.offset): record for record in records}
        letters += [_letter(raw[fact.partition, fact.offset], NOT_REQUESTED) for fact in folded.refused]
        letters += [_letter(raw[fact.partition, fact.offset], f"{error} in the fold") for fact, error in folded.failed]
        offsets = {record.place: record.offset + 1 for record in records}
        try:
            self._write(folded, states, letters, offsets)
        except Abort as error:
            self._undo(records, error)
        else:
            self._states.adopt(folded)
            self._count(facts, folded, letters)
            spans.tell(facts, folded)

    @staticmethod
    def _stated(understood: list[Understood]) -> tuple[list[StatedFact], list[DeadLetter]]:
        facts, letters = [], []
        for record, fact, refusal in understood:
            if fact is None or _is_too_large(record, fact):
                letters.append(_letter(record, refusal or (NO_HEADER if fact is None else TOO_LARGE)))
                continue
            assert isinstance(fact, SessionFact)
            facts.append(StatedFact(fact, record.partition, record.offset, record.timestamp_ms))
        return facts, letters

    def _encoded_states(self, folded: FoldedBatch, facts: list[StatedFact]) -> dict[str, bytes | None]:
        """What is written of each session; one whose state cannot be written must not stop the others for ever."""
        states: dict[str, bytes | None] = {}
        for session_id, state in list(folded.states.items()):
            try:
                states[session_id] = None if state is None else self._encoded(topics.APP_SESSIONS, state)
            except Exception as error:  # noqa: BLE001  whatever the document of a `recalled` fact amounts to
                folded.give_up(session_id, facts, type(error).__name__)
        return states

    def _write(
        self,
        folded: FoldedBatch,
        states: Mapping[str, bytes | None],
        letters: list[DeadLetter],
        offsets: Mapping[Place, int],
    ) -> None:
        outputs: list[tuple[Topic, str, bytes | None]] = [
            (topics.SESSION_CHANGES, change.session_id, self._encoded(topics.SESSION_CHANGES, change))
            for change in folded.changes
        ]
        outputs += [(topics.APP_SESSIONS, session_id, state) for session_id, state in states.items()]
        writes = [
            (topic, session_id.encode(), value, folded.partitions[session_id]) for topic, session_id, value in outputs
        ]
        writes += [(topics.DEAD_LETTERS, *encoded(self._decoder.codec, letter), 0) for letter in letters]
        membership = self._consumer.membership
        if membership is None:
            raise KafkaError("records came before an assignment")
        self._producer.begin()  # from here to the commit: no work and no waiting
        for topic, key, value, partition in writes:
            self._producer.send(topic, key, value, partition)
        self._producer.commit(offsets, membership)

    def _encoded(self, topic: Topic, value: Record) -> bytes:
        return self._decoder.codec.encode(topic, value)

    def _undo(self, records: list[KafkaRecord], error: Abort) -> None:
        metrics.ABORTED.inc()
        log.warning("transaction aborted, folding again", code=error.code)
        self._producer.abort()
        held = self._consumer.assignment()
        for place, offset in _first(records).items():
            if place in held:
                self._consumer.seek(place, offset)

    def _count(self, facts: list[StatedFact], folded: FoldedBatch, letters: list[DeadLetter]) -> None:
        for stated in facts:
            metrics.FACTS.labels(stated.fact.kind).inc()
        for item in folded.changes:
            if item.change.new_state == item.change.old_state:  # a side transcript's
                continue
            metrics.CHANGES.labels(item.change.new_state).inc()
            log.info("session changed", session_id=item.session_id, state=item.change.new_state)
        metrics.ARCHIVED.inc(sum(state is None for state in folded.states.values()))
        for letter in letters:
            metrics.REFUSED.inc()
            self._notices.note(letter)


def _first(records: Iterable[KafkaRecord]) -> dict[Place, int]:
    """Where each partition's records begin."""
    first: dict[Place, int] = {}
    for record in records:
        first.setdefault(record.place, record.offset)
    return first


def _is_too_large(record: KafkaRecord, fact: Record) -> bool:
    """A recalled state is as large as it was when it fitted into a record."""
    is_recalled = isinstance(fact, SessionFact) and fact.kind is FactKind.RECALLED
    return not is_recalled and len(record.value or b"") > MAX_FACT_BYTES


def _letter(record: KafkaRecord, reason: str) -> DeadLetter:
    return letter_of(Origin.of(record), reason, record.value or b"")
