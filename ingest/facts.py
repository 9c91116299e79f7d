"""States facts about sessions: encodes them and waits until Kafka has them."""

from connectors.kafka.producer import Producer
from schemas import topics
from schemas.codec import Codec
from schemas.records import FactKind, Hole, SessionFact


class Facts:
    """What this worker has to say."""

    def __init__(self, producer: Producer, codec: Codec, worker: str) -> None:
        self._producer, self._codec, self._worker = producer, codec, worker

    async def state(
        self,
        session_id: str,
        partition: int,
        kind: FactKind,
        *,
        epoch: int | None = None,
        reason: str | None = None,
        hole: Hole | None = None,
    ) -> int:
        """The offset of the acknowledged fact. Raises KafkaError when Kafka did not take it in time."""
        fact = SessionFact(
            session_id=session_id,
            kind=kind,
            source="ingest",
            worker=self._worker,
            epoch=epoch,
            reason=reason,
            hole=hole,
        )
        value = self._codec.encode(topics.SESSION_FACTS, fact)
        return await self._producer.send_acked(topics.SESSION_FACTS, session_id.encode(), value, partition)
