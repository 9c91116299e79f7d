"""Sessions that live their lives at a given rate, and when everybody could see it.

Facts are stated at their moment whatever becomes of the ones before; a figure counts only if each was folded and each
change was seen once, in its order.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import Reader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from schemas import sessions, topics
from schemas.ids import partition_of
from schemas.records import AppSession, FactKind, SessionChange, SessionFact, Stored, StreamRequest
from tests.bench.processor_runs import new_sessions
from tests.support.processes import wait_for
from tests.support.writer import Writer

LIFE = (
    FactKind.REQUESTED, FactKind.CLAIMED, FactKind.CONNECTED, FactKind.STREAM_OVER, FactKind.DISCONNECTED,
    FactKind.RECORDING_STORED, FactKind.TRANSCRIPT_STORED, FactKind.EVENTS_STORED,
)  # fmt: skip
_FENCED = (FactKind.CONNECTED, FactKind.STREAM_OVER, FactKind.DISCONNECTED)
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Stated:
    """A fact, when it was handed to Kafka, and where it then stood."""

    fact: SessionFact
    at_s: float
    offset: int


@dataclass(frozen=True)
class Delays:
    """Seconds from a fact to the state it is folded into, and to the change that a webhook would tell."""

    states: Sequence[float]
    changes: Sequence[float]


def stated(writer: Writer, per_second: float, seconds: float) -> list[Stated]:
    """State so many facts, one after the other from new sessions' lives; returns when Kafka has them all."""
    names = new_sessions(round(per_second * seconds / len(LIFE)))
    schedule = [(kind, name) for kind in LIFE for name in names]
    sent: list[tuple[SessionFact, float, Future[int]]] = []
    claims: dict[str, Future[int]] = {}
    began = time.monotonic()
    for index, (kind, name) in enumerate(schedule):
        epoch = claims[name].result(PATIENCE_S) if kind in _FENCED else None
        fact = _fact(name, kind, epoch)
        value = writer.decoder.codec.encode(topics.SESSION_FACTS, fact)
        time.sleep(max(0.0, began + index / per_second - time.monotonic()))
        at_s = time.monotonic()
        partition = partition_of(name, writer.kafka.partitions)
        future = writer.producer.send_future(topics.SESSION_FACTS, name.encode(), value, partition)
        sent.append((fact, at_s, future))
        if kind is FactKind.CLAIMED:
            claims[name] = future
    return [Stated(fact, at_s, future.result(PATIENCE_S)) for fact, at_s, future in sent]


def _fact(session_id: str, kind: FactKind, epoch: int | None) -> SessionFact:
    request = StreamRequest(
        product="meeting", meeting_id="m", stream_id=session_id, server_urls=("wss://rtms.zoom.us",), zoom_app_id="z"
    )
    return SessionFact(
        session_id=session_id,
        kind=kind,
        project_id="proj_bench",
        request=request if kind is FactKind.REQUESTED else None,
        stored=Stored(key="k") if kind is FactKind.RECORDING_STORED else None,
        epoch=epoch,
        worker="w",
    )


@dataclass
class _Seen:
    """Of one session: (folded offset, moment) and (change's sequence, moment), as they came."""

    states: list[tuple[int, float]] = field(default_factory=list)
    changes: list[tuple[int, float]] = field(default_factory=list)


class Observer:
    """Reads states and changes as any consumer would, from now on until closed."""

    def __init__(self, writer: Writer) -> None:
        self._decoder = writer.decoder
        self._reader = Reader(writer.kafka, "observer")
        self._reader.assign(_ends(writer.kafka))
        self._seen: dict[str, _Seen] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name="observer", daemon=True)
        self._thread.start()

    def delays(self, facts: Sequence[Stated]) -> Delays:
        """Waits until all facts are folded. Raises AssertionError where something is missing or doubled."""
        last = {one.fact.session_id: one.offset for one in facts}
        wait_for(lambda: not self._unfolded(last), PATIENCE_S, lambda: f"{self._unfolded(last)} sessions lag behind")
        states: list[float] = []
        changes: list[float] = []
        for name in last:
            own = [one for one in facts if one.fact.session_id == name]
            seen = self._seen[name]
            states += [first(seen.states, one.offset) - one.at_s for one in own]
            tellers = told(own)
            _wait_for_changes(seen, len(tellers))
            changes += [at_s - one.at_s for one, (_, at_s) in zip(tellers, seen.changes, strict=True)]
        return Delays(states, changes)

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._reader.close()

    def _unfolded(self, last: dict[str, int]) -> int:
        return sum(
            name not in self._seen or not self._seen[name].states or self._seen[name].states[-1][0] < offset
            for name, offset in last.items()
        )

    def _read(self) -> None:
        while not self._stopping.is_set():
            records = self._reader.consume()
            at_s = time.monotonic()
            for record in records:
                value = self._decoder.decode(topics.BY_NAME[record.topic], record.value or b"")
                if isinstance(value, AppSession):
                    self._seen.setdefault(value.session_id, _Seen()).states.append((value.folded_offset, at_s))
                elif isinstance(value, SessionChange):
                    self._seen.setdefault(value.session_id, _Seen()).changes.append((value.sequence, at_s))


def _ends(kafka: KafkaSettings) -> dict[Place, int]:
    names = (topics.APP_SESSIONS.name, topics.SESSION_CHANGES.name)
    return OffsetDirectory(kafka).ends(Place(name, number) for name in names for number in range(kafka.partitions))


def first(states: Iterable[tuple[int, float]], offset: int) -> float:
    """When a state was seen that the fact at `offset` is in."""
    return next(at_s for folded, at_s in states if folded >= offset)


def told(facts: Iterable[Stated]) -> list[Stated]:
    """For each change of a session, the fact that made it."""
    tellers: list[Stated] = []
    state: AppSession | None = None
    for one in facts:
        after = sessions.fold(state, one.fact, one.offset, 0)
        assert after is not None
        tellers += [one] * len(sessions.changes(state, after))
        state = after
    return tellers


def _wait_for_changes(seen: _Seen, count: int) -> None:
    wait_for(lambda: len(seen.changes) >= count, PATIENCE_S, lambda: f"{len(seen.changes)} changes of {count}")
    assert [number for number, _ in seen.changes] == list(range(count)), "changes lost or doubled"
