"""Stands in for `connectors.kafka.deletions` where no topic is: a test says what is deleted, and when that is known."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from connectors.kafka.deletions import Deleted
from connectors.kafka.errors import KafkaError
from connectors.kafka.terms import Terms
from schemas.deletion import Part


class MemoryDeletions:
    """`known` is deleted and known to be; `stated` is deleted, and only found out by who asks for what is by now."""

    def __init__(self) -> None:
        self.known: dict[str, Deleted] = {}
        self.stated: dict[str, Deleted] = {}
        self.due: list[Deleted] = []
        self.errors: list[KafkaError] = []
        self.terms = Terms()

    def get(self, session_id: str) -> Deleted | None:
        return self.known.get(session_id)

    def is_whole(self, session_id: str) -> bool:
        return session_id in self.known and self.known[session_id].is_whole

    def by_now(self, session_ids: Collection[str], timeout_s: float = 0.0) -> frozenset[str]:
        if self.errors:
            raise self.errors.pop(0)
        self.known |= self.stated
        return frozenset(session_ids) & self.known.keys()

    def unfinished(self, _parts: Iterable[Part], partitions: Collection[int]) -> list[Deleted]:
        return [deleted for deleted in self.due if deleted.partition in partitions]


def deleted(session_id: str = "app_1", partition: int = 0) -> Deleted:
    """A session of which nothing is erased yet."""
    return Deleted(session_id, "proj_1", partition, frozenset(Part))
