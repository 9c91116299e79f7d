"""The supervisor on real processes: what crashes comes back, what is ended is gone, children of children included."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from deploy.local.report import Event
from deploy.local.server import Server, unready
from deploy.local.settings import REPOSITORY
from deploy.local.supervisor import Supervisor
from deploy.local.unit import Program, UnitFailed
from tests.support.processes import PATIENCE_S, runs

# Ready over HTTP, with a child of its own that knows nothing of signals.
SERVER = """
import subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Notes:
    """Remembers what was told."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, str]] = []
        self._changed = threading.Condition()

    def tell(self, event: Event, name: str, detail: str = "") -> None:
        with self._changed:
            self.events.append((event, name))
            self._changed.notify_all()

    def wait_for(self, event: Event, name: str, count: int) -> None:
        with self._changed:
            enough = self._changed.wait_for(lambda: self.events.count((event, name)) >= count, PATIENCE_S)
        assert enough, f"{name} was not told {event} {count} times: {self.events}"


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def supervisor(notes: Notes) -> Iterator[Supervisor]:
    supervisor = Supervisor(notes)
    yield supervisor
    supervisor.kill()
    supervisor.stop()


def server(folder: Path, name: str, code: str = SERVER) -> Server:
    [port] = free_ports(1)
    return Server(Program(name, [sys.executable, "-c", code, str(port)], port, folder / f"{name}.log"), "/")


def bring_up(supervisor: Supervisor, unit: Server, layer: int = 0) -> int:
    supervisor.launch(unit, layer)
    supervisor.await_ready(unit, PATIENCE_S)
    return int(unit.log.read_text().split()[-1])


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


def test_a_crashed_process_comes_back_by_itself(supervisor: Supervisor, notes: Notes, tmp_path: Path) -> None:
    unit = server(tmp_path, "one")
    bring_up(supervisor, unit)
    supervisor.tend()
    first = unit.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)

    notes.wait_for(Event.READY, "one", 2)
    assert (Event.CRASHED, "one") in notes.events
    assert unit.pid != first


def test_stopping_goes_from_the_top_layer_down_and_takes_grandchildren_along(
    supervisor: Supervisor, notes: Notes, tmp_path: Path
) -> None:
    below, above = server(tmp_path, "below"), server(tmp_path, "above")
    grandchildren = [bring_up(supervisor, below, 0), bring_up(supervisor, above, 1)]

    supervisor.stop()

    assert [name for event, name in notes.events if event is Event.STOPPED] == ["above", "below"]
    wait_until(lambda: not any(map(runs, grandchildren)), "the end of the grandchildren")


def test_a_process_that_ends_before_it_is_ready_is_a_failure_that_names_its_log(
    supervisor: Supervisor, notes: Notes, tmp_path: Path
) -> None:
    unit = server(tmp_path, "broken", "raise SystemExit('no settings')")
    supervisor.launch(unit, 0)

    with pytest.raises(UnitFailed, match=r"exit code 1: see .*broken\.log"):
        supervisor.await_ready(unit, PATIENCE_S)

    assert (Event.FAILED, "broken") in notes.events
    assert "no settings" in unit.log.read_text()


def test_a_slow_process_is_a_failure_that_says_what_it_waits_for(supervisor: Supervisor, tmp_path: Path) -> None:
    code = SERVER.replace("200", "503").replace("self.end_headers()", "self.end_headers(); self.wfile.write(b'no log')")
    unit = server(tmp_path, "slow", code)
    supervisor.launch(unit, 0)
    wait_until(lambda: unready(unit.program.port, "/").startswith("503"), "its first answer")

    with pytest.raises(UnitFailed, match=r"not ready after 2 s \(503 no log\)"):
        supervisor.await_ready(unit, 2)


def test_what_everything_stands_on_is_given_up_after_a_few_crashes(
    supervisor: Supervisor, notes: Notes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.restarts.FIRST_DELAY_S", 0.01)
    once = tmp_path / "once"
    code = f"import pathlib; pathlib.Path({str(once)!r}).touch(exist_ok=False)\n{SERVER}"  # a second start ends at once
    unit = server(tmp_path, "log", code)
    supervisor.launch(unit, 0, vital=True)
    supervisor.await_ready(unit, PATIENCE_S)
    supervisor.tend()
    supervisor.check()

    assert unit.pid is not None
    os.kill(unit.pid, signal.SIGKILL)

    with pytest.raises(UnitFailed, match=r"log cannot be kept up, it ended 5 times in a row: see .*"):
        supervisor.check(PATIENCE_S)
    assert notes.events.count((Event.CRASHED, "log")) == 4
    assert (Event.FAILED, "log") in notes.events


def test_nothing_survives_a_kill_of_the_supervisor(tmp_path: Path) -> None:
    owner = textwrap.dedent(
        """
        import signal, sys
        from pathlib import Path
        from deploy.local.process import Process
        child = Process([sys.executable, "-c", "import subprocess, sys, time;"
            "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True);"
            "time.sleep(600)"], Path(sys.argv[1]))
        print(child.pid, flush=True)
        signal.pause()
        """
    )
    log = tmp_path / "child.log"
    with subprocess.Popen(
        [sys.executable, "-c", owner, str(log)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        wait_until(lambda: log.read_text().endswith("\n"), "the start of the grandchild")
        grandchild = int(log.read_text())
        assert runs(child)
        assert runs(grandchild)

        process.kill()

    wait_until(lambda: not runs(child) and not runs(grandchild), "the end of what the supervisor had started")
