"""Writes to the log what this API decides: facts about sessions, and the control plane's records.

Every write is acknowledged by Kafka before it counts. What is not acknowledged in time is answered with "try again",
which is safe: facts are idempotent, and a record that nobody was told about opens nothing.
"""

import asyncio
from dataclasses import dataclass

from api.errors import unavailable
from connectors.kafka.errors import KafkaError
from connectors.kafka.producer import Producer
from connectors.kafka.settings import KafkaSettings
from schemas import ids, topics
from schemas.codec import Codec
from schemas.records import Record, SessionFact
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record was written."""

    partition: int
    offset: int


class Journal:
    """Writes records; use a control producer."""

    def __init__(self, kafka: KafkaSettings, producer: Producer, codec: Codec, timeout_s: float) -> None:
        self._kafka = kafka
        self._producer = producer
        self._codec = codec
        self._timeout_s = timeout_s

    async def state(self, fact: SessionFact) -> Position:
        """Append a fact about a session. Raises ApiError 503."""
        return await self.write(topics.SESSION_FACTS, fact.session_id, fact)

    def takes(self, topic: Topic, record: Record) -> bool:
        """Whether a record could be written at all: a number may have more than the 64 bits that there are."""
        try:
            self._codec.encode(topic, record)
        except (ArithmeticError, TypeError, ValueError):
            return False
        return True

    def partitions(self, topic: Topic) -> int:
        """How many partitions a topic has."""
        return self._kafka.partition_count(topic)

    async def write(self, topic: Topic, key: str, record: Record | None, partition: int | None = None) -> Position:
        """Write a record, None to delete the key's; to the key's partition, if no other. Raises ApiError 503."""
        partition = ids.partition_of(key, self.partitions(topic)) if partition is None else partition
        value = None if record is None else self._codec.encode(topic, record)
        try:
            async with asyncio.timeout(self._timeout_s):
                return Position(partition, await self._producer.send_acked(topic, key.encode(), value, partition))
        except (KafkaError, TimeoutError):
            raise unavailable("The request could not be recorded in time. Try again.") from None
