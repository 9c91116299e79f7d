"""States facts about sessions: encodes them and waits until Kafka has them."""

import asyncio
from typing import Any

from connectors.host.logs import get_logger
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.producer import Producer
from schemas import topics
from schemas.codec import Codec
from schemas.records import FactKind, Hole, SessionFact

log = get_logger(__name__)

RETRY_S = 1.0


class Facts:
    """What this worker has to say; at `address` others reach it."""

    def __init__(self, producer: Producer, codec: Codec, worker: str, address: str | None = None) -> None:
        self._producer, self._codec, self._worker, self._address = producer, codec, worker, address

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
            address=self._address if kind is FactKind.CLAIMED else None,
        )
        value = self._codec.encode(topics.SESSION_FACTS, fact)
        return await self._producer.send_acked(topics.SESSION_FACTS, session_id.encode(), value, partition)


async def insist(facts: Facts, session_id: str, partition: int, kind: FactKind, **fields: Any) -> None:
    """State it again and again until Kafka has it: no session may end for an outage. Raises Fatal."""
    while True:
        try:
            await facts.state(session_id, partition, kind, **fields)
        except Fatal:
            raise
        except KafkaError as error:
            log.warning("fact not stated yet", session_id=session_id, kind=kind, code=error.code)
            await asyncio.sleep(RETRY_S)
        else:
            return
