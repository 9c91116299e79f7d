"""Sends records and waits until they are acknowledged; a full send queue is waited out, anything else is an error."""

import asyncio

from connectors.kafka.dead_letters import DeadLetters, Origin
from connectors.kafka.errors import QueueFull
from connectors.kafka.producer import Producer
from schemas.codec import Codec
from schemas.records import Record
from schemas.topics import Topic

RETRY_S = 0.02


class Outbox:
    """Everything that a processor writes goes through here."""

    def __init__(self, producer: Producer, codec: Codec) -> None:
        self._producer = producer
        self._codec = codec
        self._dead_letters = DeadLetters(producer, codec)

    async def send(self, topic: Topic, key: bytes, record: Record | None, partition: int) -> None:
        """Write one record, None as a tombstone; returns when it is acknowledged. Raises KafkaError."""
        value = None if record is None else self._codec.encode(topic, record)
        while True:
            try:
                await self._producer.send_acked(topic, key, value, partition)
                return
            except QueueFull:
                await asyncio.sleep(RETRY_S)

    async def refuse(self, origin: Origin, reason: str, data: bytes) -> None:
        """Write a dead letter; returns when it is acknowledged. Raises KafkaError."""
        while True:
            try:
                letter = self._dead_letters.send(origin, reason, data)
                await asyncio.wrap_future(letter)
                return
            except QueueFull:
                await asyncio.sleep(RETRY_S)
