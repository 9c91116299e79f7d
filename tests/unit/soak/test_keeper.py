"""Whatever ends and was not meant to is counted with what it said last, and is started again; what we do is not."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from deploy.local.unit import Program, Unit
from tests.soak.faults import KAFKA
from tests.soak.keeper import STOOD_S, Keeper
from tests.soak.troubles import Troubles
from tests.support.processes import PATIENCE_S, wait_for

PROGRAM = """
import pathlib, sys, time
print("started", flush=True)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
pathlib.Path(sys.argv[1]).unlink()
print("cannot go on", *sys.argv[3:], flush=True)
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def last_words() -> tuple[str, ...]:
    """The exit status, and what is said before."""
    return ("3",)


@pytest.fixture
def unit(tmp_path: Path, last_words: tuple[str, ...]) -> Iterator[Unit]:
    [port] = free_ports(1)
    argv = (sys.executable, "-c", PROGRAM, str(tmp_path / "end"), *last_words)
    made = Unit(Program("sick", argv, port, tmp_path / "log"), lambda: "" if (tmp_path / "log").exists() else "no")
    made.launch()
    until(lambda: "started" in made.log.read_text())
    yield made
    made.kill()


@pytest.fixture
def keeper(unit: Unit) -> Iterator[Keeper]:
    made = Keeper()
    made.keep(unit, "part")
    made.start()
    yield made
    made.close()


def until(condition: Callable[[], bool]) -> None:
    wait_for(condition, PATIENCE_S, lambda: "it did not come about")


def test_an_end_of_its_own_is_counted_and_started_again(keeper: Keeper, unit: Unit, tmp_path: Path) -> None:
    first = unit.pid
    (tmp_path / "end").touch()
    until(lambda: len(keeper.crashes) == 1 and unit.exit_code() is None)
    [crash] = keeper.crashes
    assert (crash.name, crash.exit_code) == ("sick", 3)
    assert "cannot go on" in str(crash)
    assert unit.pid != first


def test_what_we_do_is_not_counted(keeper: Keeper, unit: Unit) -> None:
    with keeper.in_hand(unit):
        unit.kill()
        unit.launch()
    keeper.close()
    assert keeper.crashes == []
    assert keeper.troubles.explain({"part"}, 0, float("inf"))


def test_an_end_just_before_we_do_something_is_counted(keeper: Keeper, unit: Unit, tmp_path: Path) -> None:
    keeper.close()  # it has not come round to it
    (tmp_path / "end").touch()
    until(lambda: unit.exit_code() is not None)
    with keeper.in_hand(unit):
        unit.launch()
    assert [crash.exit_code for crash in keeper.crashes] == [3]


@pytest.mark.parametrize(
    ("last_words", "trouble", "had_to"),
    [
        (("1", "_FENCED"), "part", True),
        (("1", "_FENCED"), KAFKA, True),
        (("1", "_FENCED"), "another", False),
        (("1", "_FATAL: Broker: Static consumer fenced by other consumer"), KAFKA, True),
        (("1", "_FATAL: Broker: Static consumer fenced by other consumer"), "another", False),
        (("1", "INVALID_TXN_STATE"), KAFKA, True),
        (("1", "INVALID_TXN_STATE"), "another", False),
        (("1", "_FATAL"), "part", False),
        (("3", "_FENCED"), "part", False),
    ],
)
def test_who_had_to_by_what_we_did_had_to_leave(
    keeper: Keeper, unit: Unit, tmp_path: Path, trouble: str, had_to: bool
) -> None:
    keeper.close()
    keeper.troubles = Troubles()
    keeper.troubles.began(trouble, time.monotonic())
    keeper.troubles.over(trouble, time.monotonic())
    (tmp_path / "end").touch()
    until(lambda: unit.exit_code() is not None)
    keeper.release(unit)
    assert (len(keeper.departures), len(keeper.crashes)) == (had_to, not had_to)


def test_a_machine_that_stood_still_explains_what_comes_of_it(unit: Unit) -> None:
    keeper = Keeper()
    keeper.keep(unit, "part")
    keeper._stood(10.0, 10.0 + STOOD_S - 0.1)
    assert not keeper.stood_still
    keeper._stood(10.0, 10.0 + STOOD_S)
    assert keeper.stood_still
    assert keeper.troubles.explain({"part"}, 11.0, 11.0)
