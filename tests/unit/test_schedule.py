"""Which process of a test run gets which file."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from deploy.local.settings import REPOSITORY
from tests.support.schedule import WAITING, WaitingBesideWorking, waiters, waits


@pytest.mark.parametrize("path", WAITING)
def test_what_is_said_to_wait_exists(path: str) -> None:
    assert (REPOSITORY / path).exists()


@pytest.mark.parametrize(("processes", "of_them"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (10, 4)])
def test_two_of_five_are_for_what_waits(processes: int, of_them: int) -> None:
    assert waiters(processes) == of_them


@dataclass(eq=False)
class Process:
    """As much of a test process as the scheduler knows: what it was told to run, and to end."""

    gateway: SimpleNamespace
    told: list[int] = field(default_factory=list)
    shutting_down: bool = False

    def send_runtest_some(self, indexes: list[int]) -> None:
        self.told += indexes

    def shutdown(self) -> None:
        self.shutting_down = True


def played(processes: int, tests: list[str]) -> dict[str, list[str]]:
    """What each process ran, all at the same pace."""
    option = SimpleNamespace(loadscopereorder=False, debug=False, tx=[f"{processes}*popen"], maxprocesses=None)
    config = SimpleNamespace(option=option, getvalue=lambda name: getattr(option, name))
    scheduler = WaitingBesideWorking(config)  # type: ignore[arg-type]
    nodes = [Process(SimpleNamespace(id=f"gw{number}")) for number in range(processes)]
    for node in nodes:
        scheduler.add_node(node)  # type: ignore[arg-type]
    for node in nodes:
        scheduler.add_node_collection(node, tests)  # type: ignore[arg-type]
    scheduler.schedule()
    done = dict.fromkeys(nodes, 0)
    while running := [node for node in nodes if done[node] < len(node.told)]:
        for node in running:
            done[node] += 1
            scheduler.mark_test_complete(node, node.told[done[node] - 1])  # type: ignore[arg-type]
    assert scheduler.tests_finished
    return {node.gateway.id: [tests[index] for index in node.told] for node in nodes}


def files(folder: str, count: int, tests: int = 4) -> list[str]:
    return [f"{folder}test_{number}.py::test_{test}" for number in range(count) for test in range(tests)]


def test_who_waits_runs_nothing_that_works_and_everything_is_run_once() -> None:
    tests = files("tests/integration/faults/", 6) + files("tests/integration/kafka/", 6) + files("tests/unit/", 9)
    ran = played(5, tests)
    assert sorted(test for told in ran.values() for test in told) == sorted(tests)
    for waiter in ("gw0", "gw1"):
        assert ran[waiter]
        assert all(waits(test) for test in ran[waiter])
    assert not waits(ran["gw2"][0])
    whole = {(name, test.split("::")[0]) for name, told in ran.items() for test in told}
    assert len(whole) == len({path for _, path in whole}), "a file is run by one process"


def test_who_works_helps_with_what_waits_when_nothing_else_is_left() -> None:
    ran = played(5, files("tests/integration/kafka/", 9) + files("tests/unit/", 3))
    assert any(waits(test) for name in ("gw2", "gw3", "gw4") for test in ran[name])


def test_one_process_runs_all() -> None:
    tests = files("tests/integration/faults/", 2) + files("tests/integration/kafka/", 2) + files("tests/unit/", 2)
    assert sorted(played(1, tests)["gw0"]) == sorted(tests)
