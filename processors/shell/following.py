"""What this process is to make of sessions that are over: it follows their states as a member of a group.

One thread calls it. All states of a partition are read again whenever it comes, so nothing hangs on what was committed:
commits only tell how far behind the group is. On the way to where a partition ended when it came, states are old ones:
nothing is made by them, and nothing committed, for that would tell of a group that falls behind.
"""

from collections.abc import Iterable, Mapping
from typing import Generic

from connectors.host.logs import get_logger
from connectors.kafka.consumer import Listener, create_consumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError, OffsetOutOfRange
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import BEGINNING, Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.understanding import Understanding
from processors.shell.due import AnOrder, Due
from schemas.keys import session_of
from schemas.records import AppSession
from schemas.topics import APP_SESSIONS

log = get_logger(__name__)

POLL_S = 0.5
ASK_S = 2.0


class Following(Listener, Generic[AnOrder]):
    """`step` until it is time to stop, then `close`; `due` hears of the sessions."""

    def __init__(self, kafka: KafkaSettings, group: str, decoder: Decoder, due: Due[AnOrder]) -> None:
        self._due = due
        self._ends: dict[Place, int] = {}  # of those that are not read as far as they were written when they came
        self._directory = OffsetDirectory(kafka)
        self._consumer = create_consumer(kafka, group=group, topics=[APP_SESSIONS], listener=self)
        self._understanding = Understanding(self._consumer, decoder)

    def on_assigned(self, starts: dict[Place, int]) -> Mapping[Place, int]:
        return self._again(starts)

    def on_revoked(self, revoked: list[Place]) -> None:
        self._due.drop(place.partition for place in revoked)
        for place in revoked:
            self._ends.pop(place, None)

    def on_lost(self, lost: list[Place]) -> None:
        self.on_revoked(lost)

    def step(self) -> list[AnOrder]:
        """What is to be made, after what is new was read. Raises KafkaError: the member is of no use any more."""
        try:
            records = self._consumer.consume(wait_s=POLL_S)
        except OffsetOutOfRange as error:  # only compaction's leavings can be gone
            self._due.drop([error.place.partition])
            self._consumer.seek(error.place, self._again([error.place])[error.place])
            return self._orders()
        for record, value, refusal in self._understanding.of(records):
            session_id = session_of(record.key)
            if session_id is not None and not refusal:
                self._due.hear(record.partition, session_id, value if isinstance(value, AppSession) else None)
        if self._has_caught_up() or records:
            self._commit()
        return self._orders()

    def _again(self, places: Iterable[Place]) -> dict[Place, int]:
        """Where to read these from, so that all of their states are heard. Raises KafkaError."""
        self._ends |= self._directory.ends(places, ASK_S)
        return dict.fromkeys(places, BEGINNING)

    def _has_caught_up(self) -> bool:
        """Whether one has just been read to where it ended when it came, which may be behind its last record."""
        there = [place for place in self._consumer.assignment() & self._ends.keys()
                 if self._consumer.position(place) >= self._ends[place]]  # fmt: skip
        for place in there:
            del self._ends[place]
        return bool(there)

    def _orders(self) -> list[AnOrder]:
        behind = {place.partition for place in self._ends}
        return [order for order in self._due.orders() if order.partition not in behind]

    def _commit(self) -> None:
        held = self._consumer.assignment() - self._ends.keys()
        try:
            self._consumer.commit({place: self._consumer.position(place) for place in held})
        except Fatal:
            raise
        except KafkaError as error:  # whoever has them next reads all of it anyway
            log.info("not told how far the sessions are read", error=type(error).__name__)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
