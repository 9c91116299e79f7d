"""One act: meetings are played onto the topics while a plan is carried out; then everything is looked at."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from connectors.kafka.errors import KafkaError
from connectors.rtms.simulator.meeting import Meeting
from schemas.sessions import TERMINAL
from tests.soak import comparison
from tests.soak.disturber import Disturber
from tests.soak.expected import expected
from tests.soak.observed import Observer
from tests.soak.plan import Plan
from tests.soak.player import Customer, Pace, Played, Player
from tests.soak.stage import Stage, wait_until

Say = Callable[[str], None]

LETTERS_SHOWN = 3


@dataclass(slots=True)
class Result:
    """What an act came to. `differences` is empty when nothing was lost, doubled or changed."""

    differences: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    sessions: int = 0
    faults: int = 0
    records: int = 0
    windows: int = 0
    again: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Act:
    """`name` makes the streams' ids, so it is another one for every act of a stage.

    `seconds` has each meeting's time in the theatre: meetings of any length go on while the plan is carried out, some
    of them end in its middle. Whatever still goes on when the plan is done is played as fast as possible.
    """

    name: str
    meetings: list[Meeting]
    seconds: list[float]
    plan: Plan


class Theatre:
    """Plays acts on one stage."""

    def __init__(self, stage: Stage, say: Say, settle_s: float = 120.0) -> None:
        self._stage = stage
        self._settle_s = settle_s
        self._say = say
        self._customer = Customer(stage.url, stage.credentials.admin_token)
        self._player = Player(stage.kafka, self._customer)
        self._observer = Observer(stage.kafka, stage.environment)
        self._letters = 0

    @property
    def can_fail_storage(self) -> bool:
        """Whether faults of the object folder are possible on this machine."""
        return self._stage.storage.can_fail

    def close(self) -> None:
        self._player.close()
        self._observer.close()

    def play(self, act: Act) -> Result:
        """Play, disturb, wait for the end of everything, compare."""
        began = time.monotonic()
        for meeting in act.meetings:
            meeting.prepare()
        disturber = Disturber(self._stage, self._say)
        played = self._played(act, disturber)
        result = Result(
            differences=[*disturber.failures], skipped=disturber.skipped,
            sessions=len(played), faults=sum(disturber.done.values()),
        )  # fmt: skip
        result.differences += self._at_rest(played)
        self._compare(played, result)
        result.seconds = time.monotonic() - began
        return result

    def _played(self, act: Act, disturber: Disturber) -> list[Played]:
        paces = [
            Pace(meeting.script.length_ms / 1000 / seconds)
            for meeting, seconds in zip(act.meetings, act.seconds, strict=True)
        ]
        with ThreadPoolExecutor(len(act.meetings)) as pool:
            playing = [
                pool.submit(self._player.play, meeting, f"{act.name}-{number}", pace)
                for number, (meeting, pace) in enumerate(zip(act.meetings, paces, strict=True))
            ]
            try:
                disturber.run(act.plan)
                for pace in paces:
                    pace.hurry()
                return [future.result() for future in playing]
            except BaseException:
                for pace in paces:
                    pace.stop()
                raise

    def _at_rest(self, played: list[Played]) -> list[str]:
        """Wait until every session has ended and every group has committed all there is; what has not."""
        self._say("waiting for every session to end and every group to commit its last record")
        wait_until(lambda: not self._not_ended(played), self._settle_s, self._stage.stopping)
        found = self._not_ended(played)
        wait_until(lambda: not self._behind(), self._settle_s if not found else 1.0, self._stage.stopping)
        return found + [f"group {group}: {lag} records not committed" for group, lag in self._behind().items()]

    def _not_ended(self, played: list[Played]) -> list[str]:
        states = {one.session_id: self._player.states[one.session_id] for one in played}
        return [
            f"session {session} has not ended: {state.state}, awaiting {', '.join(state.awaiting)}"
            for session, state in states.items()
            if state is not None and state.state not in TERMINAL
        ]

    def _behind(self) -> dict[str, int]:
        try:
            return self._observer.behind()
        except KafkaError as error:
            return {str(error): 1}

    def _compare(self, played: list[Played], result: Result) -> None:
        self._say("comparing with an undisturbed run")
        sessions = [one.session_id for one in played]
        inputs = self._observer.inputs(sessions)
        wanted = asyncio.run(expected(inputs, self._stage.folder))
        found = self._observer.observed(sessions)
        for one in played:
            session = one.session_id
            lines = comparison.fed(one.meeting, inputs[session])
            lines += comparison.differences(wanted[session], found[session])
            answer = self._customer.get(f"/app_sessions/{session}")
            if answer["state"] != "ended":
                lines.append(f"the API says {answer['state']}")
            result.differences += [f"{session} (seed {one.meeting.script.seed}): {line}" for line in lines]
            result.records += comparison.count(inputs[session])
            result.windows += wanted[session].windows
            result.again += comparison.again(wanted[session], found[session])
        result.differences += self._new_letters()
        if not result.differences:
            self._observer.forget(sessions)

    def _new_letters(self) -> list[str]:
        """An undisturbed run has none at all."""
        letters = self._observer.letters()
        new, self._letters = letters[self._letters :], len(letters)
        shown = "; ".join(f"{letter.topic} {letter.offset}: {letter.reason}" for letter in new[:LETTERS_SHOWN])
        return [f"{len(new)} dead letters: {shown}"] if new else []
