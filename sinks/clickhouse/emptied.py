"""A record that loses what it said, and the row of it."""

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from schemas.records import ParticipantEvent, Record, Utterance, WebhookDelivery
from schemas.topics import Topic
from sinks.clickhouse.rows import Position

Value = TypeVar("Value", ParticipantEvent, Utterance, WebhookDelivery)


class Emptied(NamedTuple, Generic[Value]):
    """What is left of the item `item` of a topic, and where the row stands that it is to replace."""

    topic: Topic
    item: str
    value: Value
    at: Position


class Words(Protocol[Value]):
    """Finds and takes away what may be said no more. Every method raises ClickHouseError, and may be repeated."""

    def left(self, content: Iterable[Record], patience_s: float | None = None) -> list[Emptied[Value]]:
        """What is to lose its words, already without them, where `content` brings any news of that."""
        ...

    def replace(self, emptied: Sequence[Emptied[Value]], patience_s: float | None = None) -> None:
        """Put the emptied rows there, then take the others away: each counts at every moment."""
        ...
