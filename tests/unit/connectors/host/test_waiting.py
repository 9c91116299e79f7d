"""Waiting for what is away: said once, seen in readiness, alive, and over at once when it is time to stop."""

import threading

import pytest
from structlog.testing import capture_logs

from connectors.host.clock import Clock, SystemClock
from connectors.host.health import Health
from connectors.host.settings import HealthSettings
from connectors.host.signals import StopSignal
from connectors.host.waiting import LONGEST_S, Stopped, Waiting
from tests.support.processes import PATIENCE_S


class Away(Exception):
    retryable = True


class StandingClock(SystemClock):
    """A clock that moves when told to."""

    time_s = 100.0

    def monotonic(self) -> float:
        return self.time_s


class Beating(Health):
    """Tells when it has been beaten: one that looked at the clock before may tell so late."""

    def __init__(self, service: str, settings: HealthSettings, clock: Clock) -> None:
        super().__init__(service, settings, clock)
        self.beaten = threading.Event()

    def beat(self) -> None:
        super().beat()
        self.beaten.set()


@pytest.fixture
def health() -> Health:
    health = Health("test")
    health.ready(True)
    return health


@pytest.fixture
def waiting(health: Health, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    monkeypatch.setattr("connectors.host.waiting.RETRY_S", 0.01)
    return Waiting("post", health, "the corner")


def reason(health: Health) -> str:
    return str(health.ready_report()[1]["conditions"]["post"]["reason"])


def test_it_is_tried_until_it_is_there_and_said_twice_in_all(waiting: Waiting, health: Health) -> None:
    answers = iter([Away("on holiday"), Away("on holiday"), Away("on holiday"), None])
    seen: list[tuple[bool, str]] = []

    def call() -> str:
        seen.append((health.is_ready(), reason(health) if len(seen) else ""))
        if (error := next(answers)) is not None:
            raise error
        return "letter"

    with capture_logs() as lines:
        assert waiting.until_there(call, StopSignal()) == "letter"
    assert seen == [(True, ""), *[(False, "waiting for post at the corner: on holiday")] * 3]
    assert health.is_ready()
    assert [line["event"] for line in lines] == ["waiting", "no longer waiting"]


def test_who_is_refused_at_once_is_alive_however_long_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.host.waiting.RETRY_S", 0.01)
    clock = StandingClock()
    health = Health("test", HealthSettings(max_beat_age_s=1.5), clock)
    alive: list[bool] = []

    def call() -> None:
        alive.append(health.is_alive())
        clock.time_s += 1.0
        if len(alive) < 10:
            raise Away("refused")

    Waiting("post", health).until_there(call, StopSignal())
    assert alive == [True] * 10


def test_an_error_that_does_not_pass_is_not_waited_for(waiting: Waiting, health: Health) -> None:
    def call() -> None:
        raise ValueError("never")

    with pytest.raises(ValueError, match="never"):
        waiting.until_there(call, StopSignal())
    assert health.is_ready()


def test_a_stop_ends_it_between_two_tries(waiting: Waiting) -> None:
    stop = StopSignal()

    def call() -> None:
        stop.set()
        raise Away

    with pytest.raises(Stopped):
        waiting.until_there(call, stop)


def test_a_stop_ends_it_in_the_middle_of_a_call_that_does_not_return(waiting: Waiting) -> None:
    stop, never = StopSignal(), threading.Event()

    def call() -> None:
        stop.set()
        never.wait()

    try:
        with pytest.raises(Stopped):
            waiting.until_there(call, stop)
    finally:
        never.set()


def test_the_process_is_alive_however_long_one_call_takes() -> None:
    """Time passes only when the test says so: five times as long as a beat may be old, and each time it beats again."""
    clock = StandingClock()
    health = Beating("test", HealthSettings(max_beat_age_s=10), clock)

    def call() -> list[bool]:
        alive = []
        for _ in range(5):
            clock.time_s += 11
            for _ in range(2):
                health.beaten.clear()
                assert health.beaten.wait(PATIENCE_S)
            alive.append(health.is_alive())
        return alive

    assert Waiting("post", health).until_there(call, StopSignal()) == [True] * 5


class LookedAt(StopSignal):
    """Tells when somebody who waits has got round."""

    def __init__(self) -> None:
        super().__init__()
        self.rounds = threading.Semaphore(0)

    def is_set(self) -> bool:
        self.rounds.release()
        return super().is_set()


def test_a_call_that_never_returns_is_not_taken_for_a_process_that_gets_round() -> None:
    """The watch over standing still would never end it. The next attempt has all its time again."""
    clock, stop = StandingClock(), LookedAt()
    health = Beating("test", HealthSettings(max_beat_age_s=10), clock)
    alive: list[bool] = []

    def call() -> None:
        health.beaten.clear()
        assert health.beaten.wait(PATIENCE_S)
        clock.time_s += LONGEST_S + 1
        for _ in range(3):  # what was about to beat by then has done so
            assert stop.rounds.acquire(timeout=PATIENCE_S)
        clock.time_s += 11
        for _ in range(3):
            assert stop.rounds.acquire(timeout=PATIENCE_S)
        alive.append(health.is_alive())
        if len(alive) == 1:
            raise Away

    Waiting("post", health, clock=clock).until_there(call, stop)
    assert alive == [False, False]


def test_several_wait_for_the_same_and_the_last_one_to_go_on_ends_it(waiting: Waiting, health: Health) -> None:
    with capture_logs() as lines:
        for who in ("a", "b", "a"):
            waiting.begin(who, "away")
        waiting.end("a")
        waiting.end("stranger")
        assert not health.is_ready()
        waiting.end("b")
    assert health.is_ready()
    assert len(lines) == 2
