"""What is due is drawn once, left off when nobody wants it here, and tried again when something is away."""

import threading
from typing import Any

import pytest

from connectors.host.health import Health
from connectors.host.program import Leave
from connectors.kafka.errors import DeliveryFailed, TimedOut
from connectors.objects.errors import Unavailable
from processors.composing.due import Order
from processors.composing.making import Abandoned
from processors.composing.service import INTERNAL_ERROR, Composing
from processors.muxing.h264 import Size
from schemas.records import Stored
from schemas.settings import RecordingView


def order(name: str, segments: int = 1, project: str = "proj_1") -> Order:
    return Order(name, project, 3, 1, Stored(key="k", count=segments), 1, RecordingView.SIDE_BY_SIDE, Size(320, 180))


class Making:
    """One that ends as it is told to, once `release` is set."""

    def __init__(self, world: "World", name: str) -> None:
        self._world, self._name, self._gone = world, name, threading.Event()

    def run(self) -> None:
        world = self._world
        with world.lock:
            world.begun.append(self._name)
            world.at_once += 1
            world.most = max(world.most, world.at_once)
        try:
            while not world.release.wait(0.01):
                if self._gone.is_set() and not world.is_busy:
                    raise Abandoned
            if self._gone.is_set():
                raise Abandoned
            if world.ends and (error := world.ends.pop(0)) is not None:
                raise error
        finally:
            with world.lock:
                world.at_once -= 1

    def leave_off(self) -> None:
        self._gone.set()

    def fail(self, reason: str) -> None:
        if self._world.refusals:
            raise self._world.refusals.pop()
        self._world.failed.append((self._name, reason))


class World:
    """Orders as they are now; `ends` says how each try ends (an error, or None)."""

    def __init__(self, *names: str, sessions: int = 1) -> None:
        self.orders: Any = [order(name) for name in names]
        self.begun, self.failed = list[str](), list[tuple[str, str]]()
        self.ends, self.refusals = list[Exception | None](), list[Exception]()
        self.at_once = self.most = 0
        self.is_busy = False  # with a picture: it does not hear at once that it is to be left off
        self.lock, self.release, self.now_s = threading.Lock(), threading.Event(), 0.0
        self.composing = Composing(self, lambda one: Making(self, one.session_id), sessions, Health("x"), self)  # type: ignore[arg-type, return-value]

    def step(self) -> list[Order]:
        if isinstance(self.orders, Exception):
            raise self.orders
        return list(self.orders)

    def monotonic(self) -> float:
        return self.now_s

    def until(self, begun: int, running: int = 0) -> None:
        """Step until so many tries have begun, and no more than so many of them are under way; of the others it is
        taken note."""
        for _ in range(12_000):
            self.composing.step()
            futures = [trying.running for trying in self.composing._trying.values() if trying.running is not None]
            if len(self.begun) >= begun and len(futures) <= running and not any(one.done() for one in futures):
                return
            threading.Event().wait(0.005)
        raise AssertionError(self.begun)


@pytest.fixture
def world() -> Any:
    made = World("app_1", "app_2", "app_3")
    yield made
    made.release.set()
    made.composing.close()


def test_each_is_drawn_once_and_no_more_at_a_time_than_there_are_cores(world: World) -> None:
    world.until(1, running=1)
    world.release.set()
    world.until(3)
    for _ in range(5):
        world.composing.step()
    assert (world.begun, world.most) == (["app_1", "app_2", "app_3"], 1)


@pytest.mark.parametrize("places", [1, 2])
def test_a_long_queue_of_one_project_holds_back_no_other(places: int) -> None:
    world = World(*(f"long_{number}" for number in range(5)), sessions=places)
    try:
        world.until(places, running=places)
        world.orders += [order("app_2", project="proj_2"), order("app_3", project="proj_3")]
        world.composing.step()
        world.release.set()
        world.until(7)
        assert {"app_2", "app_3"} <= set(world.begun[places : places + 3]), world.begun
    finally:
        world.composing.close()


def test_what_nobody_wants_here_is_left_off_and_begins_anew_when_it_comes_back(world: World) -> None:
    world.until(1, running=1)
    first, *world.orders = world.orders
    world.until(2, running=1)
    assert world.begun == ["app_1", "app_2"]
    world.orders = [first]
    world.until(3, running=1)
    assert world.begun[-1] == "app_1"


def test_what_comes_back_before_it_has_heard_that_it_is_left_off_begins_anew(world: World) -> None:
    """As whenever a replica comes or goes: the partitions are taken away, and some of them given back at once."""
    world.orders, world.is_busy = world.orders[:1], True
    world.until(1, running=1)
    [first], world.orders = world.orders, []
    world.composing.step()
    world.orders = [first]
    world.composing.step()
    world.release.set()
    world.until(2)
    world.composing.step()
    assert world.begun == ["app_1"] * 2
    assert world.composing._trying["app_1"].is_settled


def test_a_recording_that_is_finished_anew_is_drawn_anew(world: World) -> None:
    world.orders = world.orders[:1]
    world.until(1, running=1)
    world.orders = [order("app_1", segments=2)]
    world.release.set()
    world.until(2)
    world.composing.step()
    assert world.begun == ["app_1"] * 2
    assert world.composing._trying["app_1"].order == order("app_1", segments=2)


@pytest.mark.parametrize("error", [Unavailable("away"), DeliveryFailed("away")])
def test_what_is_away_is_tried_again_after_a_while(world: World, error: Exception) -> None:
    world.orders, world.ends = world.orders[:1], [error, None]
    world.release.set()
    world.until(1)
    world.composing.step()
    world.composing.step()
    assert len(world.begun) == 1
    world.now_s = 1.0
    world.until(2)
    world.now_s = 100.0
    world.composing.step()
    world.composing.step()
    assert (world.begun, world.failed) == (["app_1"] * 2, [])


def test_a_fault_of_ours_costs_that_recording_alone_and_is_said_when_it_can_be(world: World) -> None:
    world.ends, world.refusals = [KeyError("x"), None, None, KeyError("x")], [DeliveryFailed("away")]
    world.release.set()
    world.until(3)
    world.now_s = 1.0
    world.until(4)
    world.composing.step()
    assert world.failed == [("app_1", INTERNAL_ERROR)]


def test_a_group_that_is_of_no_use_any_more_is_left(world: World) -> None:
    world.orders = TimedOut("x")
    with pytest.raises(Leave):
        world.composing.step()
