"""What a `Worker` reads and writes with, in memory: for the order of things, not for Kafka's behaviour."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from connectors.kafka.dead_letters import Origin
from processors.checkpoint.assignments import Input, Stored, Unsaved
from processors.checkpoint.sessions import SessionKey
from processors.shell.inputs import Unanswered
from schemas.records import Record
from schemas.topics import Topic


class MemoryInputs:
    """Stands in for `Inputs`: committed offsets and log starts that a test sets, and a diary of what was asked. With
    `error` its client is at its end; while it `is_away` nobody says where inputs begin."""

    def __init__(self) -> None:
        self.generation = 1
        self.log_starts: dict[Input, int] = {}
        self.log_ends: dict[Input, int] = {}
        self.first_ms: dict[Input, int] = {}
        self.offsets: dict[Input, int] = {}
        self.diary: list[tuple[object, ...]] = []
        self.may_rewind = asyncio.Event()
        self.may_rewind.set()
        self.error: Exception | None = None
        self.is_away = False

    def check(self) -> None:
        if self.error:
            raise self.error

    async def committed(self, sources: Collection[Input]) -> dict[Input, int]:
        return {source: self.offsets[source] for source in sources if source in self.offsets}

    async def starts(self, sources: Collection[Input]) -> dict[Input, int]:
        if self.is_away:
            raise Unanswered("nobody is there")
        return {source: self.log_starts.get(source, 0) for source in sources}

    async def written_ms(self, sources: Collection[Input]) -> dict[Input, int]:
        return {source: self.first_ms[source] for source in sources if source in self.first_ms}

    async def commit(self, offsets: Mapping[Input, int]) -> bool:
        self.offsets |= offsets
        self.diary.append(("commit", dict(offsets)))
        return True

    async def rewind(self, source: Input, offset: int) -> None:
        self.diary.append(("rewind", source, offset))
        await self.may_rewind.wait()

    def pause(self, source: Input) -> None:
        self.diary.append(("pause", source))

    def resume(self, source: Input) -> None:
        self.diary.append(("resume", source))

    def end(self, source: Input) -> int:
        return self.log_ends.get(source, 0)


class MemoryOutbox:
    """Stands in for `Outbox`; `error` makes every write fail, each of `errors` one record."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, Record | None, int]] = []
        self.refused: list[tuple[Input, int, str]] = []
        self.error: Exception | None = None
        self.is_away = False
        self.errors: list[Exception] = []

    async def send(self, topic: Topic, key: bytes, record: Record | None, partition: int) -> None:
        if self.error:
            raise self.error
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append((topic.name, key, record, partition))

    async def refuse(self, origin: Origin, reason: str, data: bytes) -> None:
        if self.error:
            raise self.error
        self.refused.append((Input(origin.topic, origin.partition), origin.offset, reason))


class MemoryStates:
    """Stands in for `StateStore`."""

    def __init__(self) -> None:
        self.alive: dict[tuple[SessionKey, str], Stored] = {}
        self.loads = 0

    async def load(self, partitions: Collection[int], timeout_s: float) -> list[Stored]:
        self.loads += 1
        return [stored for stored in self.alive.values() if stored.session.partition in partitions]

    async def save(self, unsaved: Unsaved, assignment: str) -> None:
        self.alive[unsaved.session, assignment] = Stored(unsaved.session, assignment, unsaved.state)

    async def erase(self, session: SessionKey, assignments: Iterable[str]) -> None:
        for assignment in assignments:
            self.alive.pop((session, assignment), None)
