"""Which sessions are settled, and for how long by the log's clock. Book-keeping; time is what the records say.

The clock is the newest time that a broker gave a state: while nothing new is written nobody becomes older, and no clock
of a host can make anybody old.
"""

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import longest_kept_ms
from schemas import topics
from schemas.archiving import is_settled
from schemas.keys import session_of
from schemas.records import AppSession
from schemas.topics import Topic

_RESULTS = (
    topics.TRANSCRIPTS, topics.TRANSCRIPT_PARTIALS, topics.PARTICIPANT_EVENTS, topics.RECORDING_SEGMENTS,
    topics.WEBHOOK_NOTICES, topics.WEBHOOK_DELIVERIES,
)  # fmt: skip


class Settled(NamedTuple):
    """A settled session as of one record of `app-sessions`, which was written at `written_ms` by a broker's clock."""

    session_id: str
    partition: int
    offset: int
    folded_offset: int
    written_ms: int
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a settled session stays on the log, untouched; one of which something was deleted stays longer."""

    after_ms: int
    deleted_after_ms: int

    @classmethod
    def least(cls, kafka: KafkaSettings) -> "Patience":
        """What it takes until nothing of a session can come late any more.

        Its media can be processed as long as they are kept, what comes of them can be read for as long again, and news
        be told. What is deleted may moreover be a dead letter by then, be put back on its topic as long as that is
        kept, and be read from there.
        """

        def kept_ms(*kinds: Topic) -> int:
            return max(longest_kept_ms(topic, kafka) or 0 for topic in kinds)

        late_ms = kept_ms(*topics.MEDIA_TOPICS) + kept_ms(*_RESULTS)
        re_driven_ms = kept_ms(topics.DEAD_LETTERS) + kept_ms(*_RESULTS)
        return cls(max(late_ms, kept_ms(topics.SESSION_FACTS, topics.SESSION_CHANGES)), late_ms + re_driven_ms)


_Queue = tuple[int, int]
"""A partition, and how long those in it have to be untouched."""


class SettledSessions:
    """Heard of in a view's thread, taken by another's. Each queue is in its partition's order, the oldest first."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._newest_ms = 0
        self._queues: dict[_Queue, dict[str, Settled]] = {}
        self._queue_of: dict[str, _Queue] = {}
        self._taken: dict[str, Settled] = {}
        self._back: dict[str, Settled] = {}

    def hear(self, record: Record, state: AppSession | None) -> None:
        """The newest state of a session, None: it is archived."""
        session_id = state.session_id if state is not None else session_of(record.key) or ""
        with self._lock:
            self._newest_ms = max(self._newest_ms, record.timestamp_ms)
            self._drop(session_id)
            if state is None or not is_settled(state):
                return
            is_deleted = state.deletion is not None or state.transcript_deletion is not None
            after_ms = self._patience.deleted_after_ms if is_deleted else self._patience.after_ms
            queue = self._queue_of[session_id] = record.partition, after_ms
            self._queues.setdefault(queue, {})[session_id] = Settled(
                session_id, record.partition, record.offset, state.folded_offset, record.timestamp_ms,
                state.created_at_ms,
            )  # fmt: skip

    def take(self, partitions: Collection[int], most: int) -> list[Settled]:
        """Up to `most` that have been untouched for long enough; no second time unless they are put back."""
        with self._lock:
            found = [settled for settled in self._back.values() if settled.partition in partitions][:most]
            for (partition, after_ms), queue in self._queues.items():
                if partition in partitions:
                    found += _due(queue.values(), self._newest_ms - after_ms, most - len(found))
            for settled in found:
                self._drop(settled.session_id)
                self._taken[settled.session_id] = settled
            return found

    def put_back(self, taken: Iterable[Settled]) -> None:
        """Nothing came of these; who changed meanwhile is not meant."""
        with self._lock:
            for settled in taken:
                if self._taken.get(settled.session_id) is settled:
                    self._back[settled.session_id] = self._taken.pop(settled.session_id)

    def waiting(self) -> int:
        """How many were taken and are not archived."""
        with self._lock:
            return len(self._taken) + len(self._back)

    def _drop(self, session_id: str) -> None:
        self._taken.pop(session_id, None)
        self._back.pop(session_id, None)
        if (queue := self._queue_of.pop(session_id, None)) is not None:
            del self._queues[queue][session_id]


def _due(queue: Iterable[Settled], until_ms: int, most: int) -> list[Settled]:
    due: list[Settled] = []
    for settled in queue:
        if len(due) >= most or settled.written_ms > until_ms:
            break
        due.append(settled)
    return due
