"""What a connector worker does about a session whose state it has just read. Pure.

Membership of the group says who *should* hold a session, the claim in the log says who does. Losing the membership is
therefore no reason to let a live socket go; reading somebody else's newer claim is.
"""

from dataclasses import dataclass
from enum import Enum, auto

from schemas import sessions
from schemas.records import AppSession
from schemas.sessions import State


class Action(Enum):
    NOTHING = auto()
    CLAIM = auto()
    """State a claim, and connect once it is acknowledged."""
    CLAIM_TO_FINISH = auto()
    """Nobody here holds it and it is to end: claim it only to write its `end` records."""
    FINISH = auto()
    """Close what is held, write the `end` records, state `disconnected`."""
    LET_GO = auto()
    """Close the sockets and write nothing more: somebody else holds it, or it is over."""


def decide(state: AppSession, held_epoch: int | None, finished_epoch: int | None = None) -> Action:
    """`held_epoch` is the epoch under which this worker holds the session, None if it does not.

    `finished_epoch` is that under which it has stated `disconnected`: states of before go on coming for a while.
    """
    if state.state in (State.CONNECTING, State.CONNECTED):
        if held_epoch is None:
            return Action.CLAIM
        return Action.LET_GO if state.epoch > held_epoch else Action.NOTHING
    if state.state == State.DISCONNECTING:
        if held_epoch is None:
            is_finished = finished_epoch is not None and state.epoch <= finished_epoch
            return Action.NOTHING if is_finished else Action.CLAIM_TO_FINISH
        return Action.LET_GO if state.epoch > held_epoch else Action.FINISH
    return Action.NOTHING if held_epoch is None else Action.LET_GO


class Reply(Enum):
    """What becomes of a session when somebody else's claim is heard of."""

    LET_GO = auto()
    NOT_HELD = auto()
    NOT_NEWER = auto()
    """Than the claim held: the session stays."""


def reply(held_epoch: int | None, claimed_epoch: int) -> Reply:
    """`held_epoch` is as for `decide`; before it is known nothing is open that somebody could wait for."""
    if held_epoch is None:
        return Reply.NOT_HELD
    return Reply.LET_GO if claimed_epoch > held_epoch else Reply.NOT_NEWER


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a session may take, in ms."""

    connecting_ms: int
    disconnecting_ms: int
    post_processing_ms: int
    total_ms: int

    def passed(self, state: AppSession, now_ms: int, owned_since_ms: int) -> str | None:
        """Which deadline the session has missed as of `now_ms` (the broker's clock made the other times).

        Whoever has just taken over is given its own time to disconnect, however long nobody was there.
        """
        if state.state == State.CONNECTING and not state.connected_once:
            if now_ms - state.created_at_ms > self.connecting_ms:
                return sessions.CONNECTING_DEADLINE
        elif state.state == State.DISCONNECTING:
            if now_ms - max(state.history[-1].created_at_ms, owned_since_ms) > self.disconnecting_ms:
                return sessions.DISCONNECTING_DEADLINE
        elif state.state == State.POST_PROCESSING:
            if now_ms - state.history[-1].created_at_ms > self.post_processing_ms:
                return sessions.POST_PROCESSING_DEADLINE
        elif state.state == State.CONNECTED and now_ms - state.created_at_ms > self.total_ms:
            return sessions.TOTAL_DEADLINE
        return None
