"""The checkpoint with one rule left out each: what the crash simulation must be able to find.

Whoever changes the checkpoint and sees one of these pass has a simulation that proves nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from processors.checkpoint import assignments
from processors.checkpoint.assignments import Assignment, Input, Stored
from processors.checkpoint.sessions import Session
from processors.checkpoint.states import Mark, State
from processors.checkpoint.windows import Logic, Progress
from tests.support.crash_simulation import Trouble


class CommitsWhatIsClosed(Assignment):
    """Commits up to the oldest open window, whether a state that covers the rest is acknowledged or not."""

    def committable(self) -> dict[Input, int]:
        low = dict(self.next)
        for (partition, _), session in self._sessions.items():
            for topic, mark in session.state().marks.items():
                if mark.offset < session.next[topic]:
                    low[Input(topic, partition)] = min(low[Input(topic, partition)], mark.offset)
        return low


class CommitsWhatOthersCover(Assignment):
    """Believes that a record which another worker's state covers needs no state of our own before it is committed.

    Only a played history shows it in reasonable time, see `test_assignments`.
    """

    def _uncover(self, key, topic, offset):  # type: ignore[no-untyped-def]
        session = self._session(key)
        if offset >= session.next[topic]:
            super()._uncover(key, topic, offset)


class FeedsBeforeTheLoad(Assignment):
    """Begins without the states."""

    def __init__(self, logic: Logic, name: str, committed: Mapping[Input, int], stored: Iterable[Stored]) -> None:
        super().__init__(logic, name, committed, ())


class LastWriteWins(Assignment):
    """Takes the newest state instead of joining all."""

    def __init__(self, logic: Logic, name: str, committed: Mapping[Input, int], stored: Iterable[Stored]) -> None:
        rows = list(stored)
        super().__init__(logic, name, committed, rows)
        self._stored = {row.session: row.state for row in rows}


class ErasesWhatIsFinished(Assignment):
    """Thinks that nobody will ask for a finished session again, whatever its inputs still hold."""

    def expired(self, starts: Mapping[Input, int]) -> list[Stored]:
        return super().expired(self.next)


class ErasesByOneInput(Assignment):
    """Looks at the first input alone."""

    def expired(self, starts: Mapping[Input, int]) -> list[Stored]:
        first = next(iter(starts))
        return super().expired(self.next | {first: starts[first]})


class FoldAsOfNow(Session):
    """Saves each topic's present fold with the offset to begin from."""

    def state(self) -> State:
        state = super().state()
        return replace(state, marks={t: Mark(mark.offset, self._folds[t]) for t, mark in state.marks.items()})


class ProgressAsOfNow(Session):
    """Saves what was cut, whether it is acknowledged or not."""

    def state(self) -> State:
        return replace(super().state(), progress={name: track.progress for name, track in self._tracks.items()})


class ProgressForgotten(Session):
    """Saves no progress: what is closed already is closed again, from the middle."""

    def state(self) -> State:
        return replace(super().state(), progress=dict[str, Progress]())


class FirstDoneMoves(Session):
    """Moves a track's progress to whatever window is done, over others that are not."""

    def _settle(self, track: str) -> None:
        for window in list(self._lanes.get(track, ())):
            if window.is_done:
                self._lanes[track].remove(window)
                del self._pending[id(window)]
                assert window.after is not None
                self._progress[track] = window.after


BROKEN_ASSIGNMENTS = (CommitsWhatIsClosed, FeedsBeforeTheLoad, ErasesWhatIsFinished, ErasesByOneInput)
BROKEN_SESSIONS = (FoldAsOfNow, ProgressAsOfNow, ProgressForgotten, FirstDoneMoves)
BROKEN_TROUBLES = {
    "last write wins": Trouble(assignment=LastWriteWins, compaction_rate=0.0),
    "key is the session": Trouble(own_key=lambda process, generation: "the only one"),
    "key is the process": Trouble(own_key=lambda process, generation: f"process {process}"),
}

SESSION_SEAM = f"{assignments.__name__}.Session"
"""What to replace with a broken session."""
