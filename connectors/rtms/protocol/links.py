"""The states of one socket to Zoom, the same for signalling and media, and the deadlines that hang on them.

Rules of this file: a link's state changes by `Link.take` alone, and `STEPS` says how; `docs/rtms-states.md` is drawn
from it.

IDLE      no socket, none wanted
OPENING   the shell is opening one
GREETING  open; our handshake is sent, Zoom's answer is not here
UP        accepted
DRAINING  we no longer want it: closing in good order, what still comes counts
WAITING   lost or refused; to be opened again when its pause is over
"""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.errors import LocalError
from connectors.rtms.protocol.ticks import NEVER_MS


class LinkState(StrEnum):
    IDLE = "idle"
    OPENING = "opening"
    GREETING = "greeting"
    UP = "up"
    DRAINING = "draining"
    WAITING = "waiting"


class Step(StrEnum):
    """What happens to a link."""

    WISHED = "wished for"
    OPENED = "opened"
    ACCEPTED = "accepted"
    FAILED = "failed"  # lost, refused or unanswered, and to be tried again
    UNWANTED = "unwanted"
    CLOSED = "closed"


STEPS: dict[LinkState, dict[Step, LinkState]] = {
    LinkState.IDLE: {
        Step.WISHED: LinkState.OPENING,
        Step.UNWANTED: LinkState.IDLE,
        Step.CLOSED: LinkState.IDLE,
    },
    LinkState.OPENING: {
        Step.OPENED: LinkState.GREETING,
        Step.FAILED: LinkState.WAITING,
        Step.UNWANTED: LinkState.DRAINING,
        Step.CLOSED: LinkState.IDLE,
    },
    LinkState.GREETING: {
        Step.ACCEPTED: LinkState.UP,
        Step.FAILED: LinkState.WAITING,
        Step.UNWANTED: LinkState.DRAINING,
        Step.CLOSED: LinkState.IDLE,
    },
    LinkState.UP: {
        Step.FAILED: LinkState.WAITING,
        Step.UNWANTED: LinkState.DRAINING,
        Step.CLOSED: LinkState.IDLE,
    },
    LinkState.DRAINING: {
        Step.WISHED: LinkState.OPENING,  # anew, without waiting for the old socket's end
        Step.UNWANTED: LinkState.DRAINING,
        Step.CLOSED: LinkState.IDLE,
    },
    LinkState.WAITING: {
        Step.WISHED: LinkState.OPENING,
        Step.UNWANTED: LinkState.IDLE,
        Step.CLOSED: LinkState.IDLE,
    },
}
"""(state, step) -> state'. A pair that is missing cannot happen: `take` raises LocalError for it."""

HAS_SOCKET = frozenset({LinkState.OPENING, LinkState.GREETING, LinkState.UP, LinkState.DRAINING})


@dataclass(slots=True)
class Link:
    """One channel. `attempt` counts failures since it last worked, `away_since_ms` is when that was.

    `asked_ms` is when the ping was sent that has not been answered yet.

    `heard_ms` is when the last whole message came, `part_ms` when a part of one did.

    `suspected_ms` is when Zoom called it interrupted; what is heard later speaks for it. `was_open`: a socket stood at
    least once.
    """

    channel: str
    window_ms: int
    urls: tuple[str, ...] = ()
    media: frozenset[Medium] = frozenset()
    state: LinkState = LinkState.IDLE
    attempt: int = 0
    away_since_ms: int | None = None
    accepted_ms: int = 0
    heard_ms: int = 0
    part_ms: int = 0
    suspected_ms: int = 0
    asked_ms: int | None = None
    was_open: bool = False

    def take(self, step: Step) -> None:
        """Change the state."""
        following = STEPS[self.state].get(step)
        if following is None:
            raise LocalError(f"{self.channel} cannot be {step} while {self.state}")
        self.state = following

    @property
    def moved_ms(self) -> int:
        """When anything came last: a picture of megabytes is under way for a while."""
        return max(self.heard_ms, self.part_ms)

    @property
    def url(self) -> str:
        """Where the next attempt goes: the addresses take turns."""
        return self.urls[self.attempt % len(self.urls)]

    def away_ms(self, now_ms: int) -> int:
        """For how long it has been away; the first question starts the count."""
        if self.away_since_ms is None:
            self.away_since_ms = now_ms
        return now_ms - self.away_since_ms


class Deadlines:
    """Named moments. `earliest_ms` may be early (a cancelled one), never late, and costs nothing to ask."""

    __slots__ = ("_at", "earliest_ms")

    def __init__(self) -> None:
        self._at: dict[Hashable, int] = {}
        self.earliest_ms = NEVER_MS

    def set(self, name: Hashable, at_ms: int) -> None:
        """Call on `name` at `at_ms`, and no longer when it was set to before."""
        self._at[name] = at_ms
        self.earliest_ms = min(self.earliest_ms, at_ms)

    def cancel(self, *names: Hashable) -> None:
        """Forget these, set or not."""
        for name in names:
            self._at.pop(name, None)

    def clear(self) -> None:
        """Forget all."""
        self._at.clear()
        self.earliest_ms = NEVER_MS

    def pop_passed(self, now_ms: int) -> Hashable | None:
        """The first whose moment has come, and forget it; None if there is none.

        One at a time, because working one off may cancel others.
        """
        name = min(self._at, key=self._at.__getitem__, default=None)
        if name is not None and self._at[name] <= now_ms:
            del self._at[name]
            return name
        self.earliest_ms = NEVER_MS if name is None else self._at[name]
        return None
