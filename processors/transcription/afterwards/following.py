"""Which side transcripts this process is to make: a member of a group that follows the states of its partitions.

One thread calls it. All states of a partition are read again whenever it comes, so nothing hangs on what was committed:
commits only tell how far behind the group is.
"""

from collections.abc import Mapping

from connectors.host.logs import get_logger
from connectors.kafka.consumer import Listener, create_consumer
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError, OffsetOutOfRange
from connectors.kafka.records import BEGINNING, Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.understanding import Understanding
from processors.transcription.afterwards.due import Due, Order
from schemas.keys import session_of
from schemas.records import AppSession
from schemas.topics import APP_SESSIONS

log = get_logger(__name__)

GROUP = "transcription-afterwards"
POLL_S = 0.5


class Following(Listener):
    """`step` until it is time to stop, then `close`."""

    def __init__(self, kafka: KafkaSettings, group_prefix: str, decoder: Decoder) -> None:
        self._due = Due()
        self._consumer = create_consumer(kafka, group=f"{group_prefix}{GROUP}", topics=[APP_SESSIONS], listener=self)
        self._understanding = Understanding(self._consumer, decoder)

    def on_assigned(self, starts: dict[Place, int]) -> Mapping[Place, int]:
        return dict.fromkeys(starts, BEGINNING)

    def on_revoked(self, revoked: list[Place]) -> None:
        self._due.drop(place.partition for place in revoked)

    def on_lost(self, lost: list[Place]) -> None:
        self.on_revoked(lost)

    def step(self) -> list[Order]:
        """What is to be made, after what is new was read. Raises KafkaError: the member is of no use any more."""
        try:
            records = self._consumer.consume(wait_s=POLL_S)
        except OffsetOutOfRange as error:  # only compaction's leavings can be gone
            self._consumer.seek(error.place, BEGINNING)
            return self._due.orders()
        for record, value, refusal in self._understanding.of(records):
            session_id = session_of(record.key)
            if session_id is not None and not refusal:
                self._due.hear(record.partition, session_id, value if isinstance(value, AppSession) else None)
        if records:
            self._commit()
        return self._due.orders()

    def _commit(self) -> None:
        held = self._consumer.assignment()
        try:
            self._consumer.commit({place: self._consumer.position(place) for place in held})
        except Fatal:
            raise
        except KafkaError as error:  # whoever has them next reads all of it anyway
            log.info("not told how far the sessions are read", error=type(error).__name__)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
