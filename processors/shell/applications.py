"""What a processor is to the shell that runs it: pure logic, where its outputs go, and how one is made."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from processors.checkpoint.folds import Json
from processors.checkpoint.windows import Logic, Track
from schemas.keys import item_key
from schemas.records import Record
from schemas.sessions import Awaited
from schemas.topics import Cleanup, Topic


@dataclass(frozen=True, slots=True)
class Output:
    """A record to write. `item_id` keys it on topics where single records can be replaced or deleted."""

    topic: Topic
    item_id: str
    record: Record

    def key(self, session_id: str) -> bytes:
        if self.topic.cleanup is Cleanup.COMPACT_DELETE:
            return item_key(session_id, self.item_id)
        return session_id.encode()


@dataclass(frozen=True, slots=True)
class Aside:
    """What of a work could not be used, for the dead letters. `reason` holds nothing of it, `data` is the thing."""

    reason: str
    data: bytes = field(repr=False)


class Partials(Protocol):
    """What an application shows of windows that are still open, or does for their sake: a courtesy, of which any may be
    missing.

    Whatever comes of it is on topics of its own, so that it can never stand in the place of an output.
    """

    def is_wanted(self, part: Json) -> bool:
        """Whether a session of which a topic says `part` wants any. Asked after each frame of every session."""

    def is_due(self, track: Track) -> bool:
        """Whether there is something to show or do of a track that a frame of such a session was just put into."""

    def seen(self, track: Track, late_ms: int, under_way: Collection[object]) -> object | None:
        """What to show of a track where something is due, None for nothing. May note on `track.scratch` that it was
        shown. `late_ms`: how long ago the frame was received; `under_way`: what is being rendered, or will be next."""

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        """The outputs of such a work, if any. May be cancelled."""


class Application(Protocol):
    """One processor: `name` is its consumer group, `state_topic` holds its checkpoints."""

    @property
    def name(self) -> str: ...

    @property
    def logic(self) -> Logic: ...

    @property
    def state_topic(self) -> Topic: ...

    @property
    def result(self) -> Awaited:
        """What of a session it makes: the sessions that still await this can lose by what it did not read."""

    @property
    def partials(self) -> Partials | None:
        """What it shows of windows that are open; None: nothing."""

    @property
    def max_in_flight(self) -> int:
        """How many works may be rendered at a time; feeding waits while that many are."""

    async def start(self) -> None:
        """Whatever rendering needs (worker processes, a model), before the first record."""

    async def stop(self) -> None: ...

    async def render(self, session_id: str, work: object) -> Sequence[Output | Aside]:
        """The outputs of a work that the logic described: always the same for the same work.

        It may take long and run elsewhere, but must not block the loop. What fails for good is an output too (a final
        record that says so). An exception that the work itself must cause (`faults.FAULTS`) puts the work aside; any
        other ends the process, and the successor meets the same work again.
        """
