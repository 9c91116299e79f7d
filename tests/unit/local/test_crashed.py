"""A process that crashes leaves nobody behind, and one that does not heed the first Ctrl-C goes at the second."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from deploy.local.ports import free_ports
from deploy.local.report import Event, Silence
from deploy.local.supervisor import Supervisor
from deploy.local.unit import Program, Unit
from tests.support.processes import PATIENCE_S, runs, wait_for

LEAVES_A_CHILD = "sleep 600 & echo $!; exit 1"


def test_what_a_crashed_process_had_started_goes_with_it(tmp_path: Path) -> None:
    [port] = free_ports(1)
    unit = Unit(Program("one", ["sh", "-c", LEAVES_A_CHILD], port, tmp_path / "one.log"), lambda: "")
    supervisor = Supervisor(Silence())
    supervisor.launch(unit, 0)
    supervisor.tend()
    try:
        wait_for(lambda: len(unit.log.read_text().split()) > 1, PATIENCE_S, lambda: "it was not started again")
        first = int(unit.log.read_text().split()[0])
        wait_for(lambda: not runs(first), PATIENCE_S, lambda: "its child goes on")
    finally:
        supervisor.kill()
        supervisor.stop()


class Asking(Silence):
    """Notes that somebody is asked to end."""

    def __init__(self, asked: threading.Event) -> None:
        self._asked = asked

    def tell(self, event: Event, name: str, detail: str = "") -> None:
        if event is Event.STOPPING:
            self._asked.set()


def test_who_insists_is_heard_while_everything_is_asked_to_end(tmp_path: Path) -> None:
    """The second Ctrl-C comes while somebody does not heed the first."""
    [port] = free_ports(1)
    deaf = "trap '' TERM; echo here; while :; do sleep 1; done"
    unit = Unit(Program("deaf", ["sh", "-c", deaf], port, tmp_path / "deaf.log"), lambda: "")
    asked = threading.Event()
    supervisor = Supervisor(Asking(asked))
    supervisor.launch(unit, 0)
    try:
        wait_for(lambda: "here" in unit.log.read_text(), PATIENCE_S, lambda: "it did not start")
        began = time.monotonic()
        asking = threading.Thread(target=supervisor.stop)
        asking.start()
        assert asked.wait(PATIENCE_S)
        supervisor.kill()
        asking.join()
        assert time.monotonic() - began < 10, "it was waited for"
    finally:
        unit.kill()
