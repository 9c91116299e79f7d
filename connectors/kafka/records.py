"""A record as it comes out of Kafka, and where records are: our own values, so that no reader needs the library."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition

BEGINNING: int = OFFSET_BEGINNING
"""Stands for the first offset that still exists, where an offset to read from is asked for."""


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


class Record(NamedTuple):
    """One record; `value` None is a tombstone. `timestamp_ms` is when the broker appended it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> Place:
        """Its partition."""
        return Place(self.topic, self.partition)


Offsets = Mapping[Place, int]
"""The next offset to read, per partition: what is committed is one more than what was done."""


def record_of(message: Message) -> Record:
    """The library's message as ours; only for messages that are no errors."""
    return Record(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
    )


def library_offsets(offsets: Offsets) -> list[TopicPartition]:
    """Our offsets as the library's list."""
    return [TopicPartition(place.topic, place.partition, offset) for place, offset in offsets.items()]


def places(partitions: Iterable[TopicPartition]) -> list[Place]:
    """The library's list as our places, without its offsets."""
    return [Place(item.topic, item.partition) for item in partitions]
