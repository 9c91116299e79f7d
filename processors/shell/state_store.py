"""Keeps sessions' states on a compacted topic, keyed by session and assignment, in the partition of the session.

Each consumer group sees its own states alone: a second group reads the inputs anew without being told that all is done.
"""

import asyncio
import threading
from collections.abc import Collection, Iterable

from connectors.host.logs import get_logger
from connectors.kafka.decoder import Decoder
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.records import Record as KafkaRecord
from processors.checkpoint.assignments import Stored, Unsaved
from processors.checkpoint.sessions import SessionKey
from processors.checkpoint.states import State
from processors.shell import metrics
from processors.shell.outbox import Outbox
from schemas.codec import Undecodable
from schemas.keys import ITEM_SEPARATOR, item_key, keyed
from schemas.records import ProcessorState
from schemas.topics import Topic

log = get_logger(__name__)


class StateStore:
    """The states of one processor. One load at a time; a second one waits."""

    def __init__(self, group: str, topic: Topic, loader: PartitionLoader, decoder: Decoder, outbox: Outbox) -> None:
        self._owner = f"{group}{ITEM_SEPARATOR}"
        self._topic = topic
        self._loader = loader
        self._decoder = decoder
        self._outbox = outbox
        self._loading = threading.Lock()  # held by the thread: a load that is cancelled goes on until it is through

    async def load(self, partitions: Collection[int], timeout_s: float) -> list[Stored]:
        """Everything that any assignment has written and nobody erased, to the ends as of now.

        Raises:
            KafkaError: the ends were not reached.

        A record that is no state is left out, so that one cannot stop all sessions: what it may have replaced is still
        read where compaction has not come by, and where it has, that one session lacks what was before.
        """
        return await asyncio.to_thread(self._read, partitions, timeout_s)

    async def save(self, unsaved: Unsaved, assignment: str) -> None:
        """Write one state; returns when it is acknowledged."""
        session_id, owned = unsaved.session.session_id, self._owner + assignment
        record = ProcessorState(session_id=session_id, assignment=owned, state=unsaved.text)
        await self._outbox.send(self._topic, item_key(session_id, owned), record, unsaved.session.partition)

    async def erase(self, session: SessionKey, assignments: Iterable[str]) -> None:
        """Write tombstones for what these assignments left of the session."""
        keys = [item_key(session.session_id, self._owner + assignment) for assignment in assignments]
        await asyncio.gather(*(self._outbox.send(self._topic, key, None, session.partition) for key in keys))

    def _read(self, partitions: Collection[int], timeout_s: float) -> list[Stored]:
        found: dict[tuple[int, bytes], list[Stored]] = {}
        places = [Place(self._topic.name, number) for number in partitions]
        with self._loading:
            for record in self._loader.load(places, timeout_s):
                place = record.partition, record.key or b""
                if record.value is None:
                    found.pop(place, None)
                elif (stored := self._readable(record, record.value)) is not None:
                    found.setdefault(place, []).append(stored)
        return [stored for states in found.values() for stored in states]

    def _readable(self, record: KafkaRecord, value: bytes) -> Stored | None:
        try:
            return self._stored(record.partition, record.key, value)
        except ValueError as error:
            metrics.UNREADABLE.labels(self._topic.name).inc()
            log.error("state skipped", topic=self._topic.name, partition=record.partition, offset=record.offset,
                      reason=error.reason if isinstance(error, Undecodable) else "not a state")  # fmt: skip
            return None

    def _stored(self, partition: int, key: bytes | None, value: bytes) -> Stored | None:
        record = keyed(key, self._decoder.decode(self._topic, value))
        assert isinstance(record, ProcessorState)
        if not record.assignment.startswith(self._owner):
            return None
        session, assignment = SessionKey(partition, record.session_id), record.assignment.removeprefix(self._owner)
        return Stored(session, assignment, State.from_json(record.state))
