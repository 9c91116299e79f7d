"""A process that crashes leaves nobody behind: its children would work beside those of its successor."""

from __future__ import annotations

import time
from pathlib import Path

from deploy.local.ports import free_ports
from deploy.local.report import Silence
from deploy.local.supervisor import Supervisor
from deploy.local.unit import Program, Unit

LEAVES_A_CHILD = "sleep 60 & echo $!; exit 1"


def runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


def test_what_a_crashed_process_had_started_goes_with_it(tmp_path: Path) -> None:
    [port] = free_ports(1)
    unit = Unit(Program("one", ["sh", "-c", LEAVES_A_CHILD], port, tmp_path / "one.log"), lambda: "")
    supervisor = Supervisor(Silence())
    supervisor.launch(unit, 0)
    supervisor.tend()
    try:
        deadline = time.monotonic() + 20
        while len(unit.log.read_text().split()) < 2:  # it was started again
            assert time.monotonic() < deadline
            time.sleep(0.02)
        first = int(unit.log.read_text().split()[0])
        assert not runs(first)
    finally:
        supervisor.kill()
        supervisor.stop()
