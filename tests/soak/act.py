"""One act: meetings are played onto the topics while a plan is carried out; then everything is looked at."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx

from connectors.kafka.errors import KafkaError
from connectors.rtms.simulator.meeting import Meeting
from schemas import async_transcriptions
from schemas.awaiting import awaited
from schemas.records import AppSession
from schemas.sessions import TERMINAL
from tests.soak import answers, comparison, copies, tidings
from tests.soak.customer import Customer
from tests.soak.disturber import Disturber
from tests.soak.expected import Expected, expected
from tests.soak.faults import Fault, Plan, omitted
from tests.soak.observed import Observer
from tests.soak.onlooker import Onlooker
from tests.soak.orders import Order
from tests.soak.plan import duration_s
from tests.soak.player import Pace, Played, Player
from tests.soak.stage import Stage, wait_until
from tests.soak.tempo import Tempo
from tests.support.receiver import receiving

Say = Callable[[str], None]

LETTERS_SHOWN = 3

TELL_S, TOLD = 30.0, 3
"""How often it is said what is waited for, and how much of it at most."""

STANDS_S = 600.0
"""More than a meeting waits for anything while it is played, such as the records that Kafka has not taken."""


@dataclass(slots=True)
class Result:
    """What an act came to. `differences` is empty when nothing was lost, doubled or changed, no process ended by
    itself, and the API never said anything that a client must not hear.

    `departures` is how many had to, because of what we did to them. `answered` and `refused` count what a client was
    answered while the act was played, by question; `turned_away` is how often customers' own buckets did not take a
    copy, of which there are `copies` now. `stood_still`: the machine did, for longer than a group waits for a member.
    """

    differences: list[str] = field(default_factory=list)
    done: Counter[Fault] = field(default_factory=Counter)
    skipped: Counter[Fault] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    sessions: int = 0
    records: int = 0
    windows: int = 0
    partials: int = 0
    again: int = 0
    departures: int = 0
    copies: int = 0
    turned_away: int = 0
    stood_still: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Act:
    """`name` makes the streams' ids, so it is another one for every act of a stage.

    `orders` says what is asked for in each meeting. `seconds` has each one's time in the theatre, as the plan is meant
    to take it: meetings of any length go on while the plan is carried out, some of them end in its middle. What is left
    when it is done is played at once.
    """

    name: str
    meetings: list[Meeting]
    orders: list[Order]
    seconds: list[float]
    plan: Plan


class Theatre:
    """Plays acts on one stage."""

    def __init__(self, stage: Stage, say: Say, settle_s: float = 300.0) -> None:
        self._stage = stage
        self._settle_s = settle_s
        self._say = say
        self._customer = Customer(stage.url, stage.credentials.admin_token, stage.buckets.url)
        self._closing = ExitStack()
        self._receiver = self._closing.enter_context(receiving())
        self._customer.subscribe(self._receiver.url)
        self._player = Player(stage.kafka, self._customer)
        self._observer = Observer(stage.kafka, stage.environment)
        self._letters = 0
        self._crashes = self._departures = 0

    @property
    def can_fail_storage(self) -> bool:
        """Whether faults of the object folder are possible on this machine."""
        return self._stage.storage.can_fail

    def close(self) -> None:
        self._player.close()
        self._observer.close()
        self._closing.close()

    def play(self, act: Act) -> Result:
        """Play, disturb, wait for the end of everything, compare."""
        began = time.monotonic()
        for meeting in act.meetings:
            meeting.prepare()
        disturber = Disturber(self._stage, self._say)
        onlooker = Onlooker(self._customer, self._stage.keeper.troubles, act.name)
        result = Result(done=disturber.done, skipped=disturber.skipped,
                        answered=onlooker.answered, refused=onlooker.refused)  # fmt: skip
        with onlooker.looking():
            played = self._played(act, disturber)
            result.sessions = len(played)
            unfinished = self._ended(played)
        result.differences += [*disturber.failures, *omitted(act.plan, disturber.done + disturber.skipped), *unfinished]
        result.differences += [f"{count} × {line}" for line, count in onlooker.complaints.items()]
        result.differences += self._committed(self._settle_s if not unfinished else 1.0)
        self._compare(played, result)
        result.differences += self._new_crashes()
        result.departures = len(self._stage.keeper.departures) - self._departures
        self._departures += result.departures
        result.stood_still = self._stage.keeper.stood_still
        result.seconds = time.monotonic() - began
        return result

    def _played(self, act: Act, disturber: Disturber) -> list[Played]:
        tempo = Tempo([duration_s(movement) for movement in act.plan])
        with ThreadPoolExecutor(len(act.meetings)) as pool:
            playing = [pool.submit(self._play, act, number, tempo) for number in range(len(act.meetings))]
            try:
                disturber.run(act.plan, tempo.entered)
                tempo.hurry()
                self._await(playing)
                return [future.result() for future in playing]
            except BaseException:
                tempo.stop()
                raise

    def _await(self, playing: list[Future[Played]]) -> None:
        """Return when all are played, and what is asked for afterwards is there, or has not come in its own time.

        Raises AssertionError when none that is under way has gone on for long.
        """
        heard, since_s = self._player.heard, time.monotonic()
        while unplayed := wait(playing, TELL_S).not_done:
            behind = self._behind()
            self._tell(f"{len(playing) - len(unplayed)} of {len(playing)} meetings are played", behind)
            if self._player.heard != heard or not self._player.under_way:
                heard, since_s = self._player.heard, time.monotonic()
            stands_s = time.monotonic() - since_s
            assert stands_s < STANDS_S, (
                f"{len(self._player.under_way)} meetings have stood still for {stands_s:.0f} s; "
                f"not ready: {', '.join(self._stage.unready()) or 'nothing'}; {'; '.join(behind)}"
            )

    def _play(self, act: Act, number: int, tempo: Tempo) -> Played:
        pace, order = Pace(tempo, act.seconds[number]), act.orders[number]
        played = self._player.play(act.meetings[number], order, f"{act.name}-{number}", pace, number % 2 == 1)
        self._player.transcribe(played, order, tempo, self._settle_s)
        return played

    def _ended(self, played: list[Played]) -> list[str]:
        """Wait until every session has ended; those that have not."""
        self._say("waiting for every session to end")
        return self._remaining(lambda: self._not_ended(played), self._settle_s)

    def _committed(self, timeout_s: float) -> list[str]:
        """Wait until every group has committed all there is; those that have not."""
        self._say("waiting for every group to commit its last record")
        return self._remaining(self._behind, timeout_s)

    def _remaining(self, look: Callable[[], list[str]], timeout_s: float) -> list[str]:
        """What `look` finds at last: nothing as soon as it finds nothing, for a moment later there may be news."""
        found: list[str] = []
        told_s = time.monotonic()

        def is_over() -> bool:
            nonlocal told_s
            found[:] = look()
            if found and time.monotonic() - told_s > TELL_S:
                self._tell("still", found)
                told_s = time.monotonic()
            return not found

        wait_until(is_over, timeout_s, self._stage.stopping)
        return found

    def _tell(self, what: str, found: list[str]) -> None:
        more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
        self._say(f"{what}: {'; '.join(found[:TOLD])}{more}" if found else what)

    def _not_ended(self, played: list[Played]) -> list[str]:
        states = self._states(played)
        return [
            *(f"session {session} has not ended: {state.state}, awaiting {', '.join(awaited(state))}"
              for session, state in states.items() if state.state not in TERMINAL),
            *(f"session {session} has a side transcript that is {one.state}"
              for session, state in states.items() for one in async_transcriptions.unfinished(state)),
        ]  # fmt: skip

    def _states(self, played: list[Played]) -> dict[str, AppSession]:
        states = {one.session_id: self._player.states[one.session_id] for one in played}
        return {session: state for session, state in states.items() if state is not None}

    def _behind(self) -> list[str]:
        try:
            return [f"group {group}: {lag} records not committed" for group, lag in self._observer.behind().items()]
        except KafkaError as error:
            return [f"not known how far the groups are: {error}"]

    def _compare(self, played: list[Played], result: Result) -> None:
        self._say("comparing with an undisturbed run")
        sessions = [one.session_id for one in played]
        inputs = self._observer.inputs(sessions)
        sides = {session: state.async_transcriptions for session, state in self._states(played).items()}
        wanted = asyncio.run(expected(inputs, self._stage.folder, self._stage.transcription, sides))
        self._say("waiting for the receiver to be told")
        wait_until(lambda: not any(self._untold(*one) for one in wanted.items()), self._settle_s, self._stage.stopping)
        found = self._observer.observed(sessions)
        for one in played:
            session = one.session_id
            lines = comparison.fed(one.meeting, inputs[session])
            lines += comparison.differences(wanted[session], found[session])
            lines += self._untold(session, wanted[session])
            lines += self._answers(session, wanted[session])
            result.differences += [f"{session} (seed {one.meeting.script.seed}): {line}" for line in lines]
            result.records += comparison.count(inputs[session])
            result.windows += wanted[session].windows
            result.partials += len(found[session].partials)
            result.again += comparison.again(wanted[session], found[session])
        result.differences += self._copies(played, wanted, result)
        result.differences += self._new_letters()
        if not result.differences:
            self._observer.forget(sessions)

    def _copies(self, played: list[Played], wanted: Mapping[str, Expected], result: Result) -> list[str]:
        """What customers find in their own buckets and should not, or the other way round."""
        found = self._stage.buckets.all()
        self._stage.buckets.forget()
        result.copies = sum(bool(name.taken) for name in found.values())
        result.turned_away = sum(name.refused for name in found.values())
        stated = {session: state.external_copy for session, state in self._states(played).items()}
        return copies.differences(wanted, found, stated)

    def _untold(self, session: str, wanted: Expected) -> list[str]:
        """What the receiver was not told as it has to be."""
        return tidings.differences(wanted, [told.json for told in self._receiver.told if session in told.body.decode()])

    def _answers(self, session: str, wanted: Expected) -> list[str]:
        """What the API says now; nothing is in its way any more, so it has to."""
        try:
            return answers.differences(wanted, self._customer.answers(session, wanted))
        except httpx.HTTPError as error:
            return [f"the API does not answer: {error}"]

    def _new_crashes(self) -> list[str]:
        """Processes that ended although nobody ended them."""
        new = self._stage.keeper.crashes[self._crashes :]
        self._crashes += len(new)
        return [str(crash) for crash in new]

    def _new_letters(self) -> list[str]:
        """An undisturbed run has none at all."""
        letters = self._observer.letters()
        new, self._letters = letters[self._letters :], len(letters)
        shown = "; ".join(f"{letter.topic} {letter.offset}: {letter.reason}" for letter in new[:LETTERS_SHOWN])
        return [f"{len(new)} dead letters: {shown}"] if new else []
