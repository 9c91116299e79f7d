"""Who runs which test file when several run at once: tests that mostly wait run beside those that work.

A pytest plugin (`make test`). Of four processes one takes nothing but files that wait for somebody's patience to end
and hardly use a processor; the others take everything, those that work first. So two cores are busy and no test is
kept from its share of them by more than three others, which is what the tests' own patience is made for. With five,
two of them for waiting, two cores are full, and Zoom's own SDK may be too late for its meetings.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling
from xdist.workermanage import WorkerController

WAITING = (
    "tests/integration/clickhouse/",
    "tests/integration/ingest/test_ends.py",
    "tests/integration/ingest/test_hand_over.py",
    "tests/integration/ingest/test_sessions.py",
    "tests/integration/kafka/",
    "tests/integration/local/",
    "tests/integration/rtms/",
    "tests/integration/rtms_simulator/",
    "tests/integration/transcription/",
)
"""Files, and folders of them, that use less than a third of a processor while they run."""


def waits(scope: str) -> bool:
    """Whether a test file (by its path in the repository) is one of those that mostly wait."""
    return scope.startswith(WAITING)


def waiters(processes: int) -> int:
    """How many of all test processes are for the files that wait alone."""
    return processes * 2 // 5


class WaitingBesideWorking(LoadFileScheduling):
    """`--dist loadfile` with two queues."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        wanted = self._is_waiter(node)
        scope = next((scope for scope in self.workqueue if waits(scope) == wanted), None)
        if scope is not None:
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self._is_waiter(node) and not any(map(waits, self.workqueue)):
            if not node.shutting_down:
                node.shutdown()
            return
        super()._reschedule(node)

    def _is_waiter(self, node: WorkerController) -> bool:
        return int(str(node.gateway.id).removeprefix("gw")) < waiters(self.numnodes)  # one in a dead one's place works


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Ours in place of `--dist loadfile`."""
    return WaitingBesideWorking(config, log) if config.getvalue("dist") == "loadfile" else None
