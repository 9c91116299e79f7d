"""`make up` as its users meet it: everything comes up, comes back, and is gone when they leave."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.asking import answered
from deploy.local.process import Process
from deploy.local.unit import child_environment
from tests.support.processes import PATIENCE_S

READY = "Ctrl-C ends everything."
START_S = 400.0
STOP_S = 120.0
"""Twice what three layers are given, one after the other; who was killed with its group is gone a moment later."""


class Up:
    """One `python -m deploy.local up` on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._output = folder / "output"
        ports = dict.fromkeys(("KAFKA", "REGISTRY", "CLICKHOUSE", "API"), "0")
        settings = {f"RTMS_LOCAL_{name}_PORT": port for name, port in ports.items()}
        settings |= {"ZOOM_CLIENT_ID": "an-app-of-ours", "ZOOM_CLIENT_SECRET": "its-secret"}
        settings |= {"RTMS_LOCAL_RUN_DIR": str(folder / "run"), "COLUMNS": "200"}
        # Known to the guard: should this test be killed, what it has started ends too.
        self.process = Process([sys.executable, "-m", "deploy.local", "up"], self._output, child_environment(settings))

    def interrupt(self) -> int:
        """Ctrl-C, and the exit code."""
        os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_S)

    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str, timeout_s: float) -> str:
        wait_until(lambda: text in self.output() or self.process.exit_code() is not None, timeout_s, self.output)
        assert text in self.output(), f"ended with {self.process.exit_code()}:\n{self.output()}"
        return self.output()

    def printed(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S+)", self.output(), re.MULTILINE)
        assert found, self.output()
        return found[1]

    def members(self) -> dict[int, str]:
        """Every process of this stack, by the run folder in its environment or command line."""
        mark = str(self._folder / "run").encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != self.process.pid:
                try:
                    command = (entry / "cmdline").read_bytes()
                    if command and mark in command + (entry / "environ").read_bytes():
                        found[int(entry.name)] = command.replace(b"\0", b" ").decode()[:120]
                except OSError:
                    continue
        return found


def wait_until(condition: Callable[[], bool], timeout_s: float, state: Callable[[], object]) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:.0f} s: {state()}"
        time.sleep(0.1)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path)
    yield up
    if up.process.exit_code() is None:
        up.interrupt()


def created(client: httpx.Client, url: str) -> httpx.Response:
    """What became of a request for a session; an API that has just started may put it off."""
    stream = {"meeting_uuid": "m==", "rtms_stream_id": "s", "server_urls": "ws://127.0.0.1:9"}
    return answered(lambda: client.post(url, json={"zoom_rtms": stream}), PATIENCE_S)


@pytest.mark.timeout(1200)
def test_up_comes_up_comes_back_and_leaves_nothing(up: Up) -> None:
    up.wait_for(READY, START_S)

    api = up.printed("API").rstrip(",")
    for key in (up.printed("API key"), up.printed("Your Zoom app")):
        with httpx.Client(
            headers={"Authorization": f"Token {key}"}, timeout=PATIENCE_S, trust_env=False, verify=False
        ) as client:
            answer = created(client, f"{api}/app_sessions")
            assert (answer.status_code, answer.json()["state"]) == (201, "connecting")

    [muxing] = [pid for pid, command in up.members().items() if command.endswith("processors muxing ")]
    begun, crashed = (up.output().count(f"{sign} muxing") for sign in "✓✗")  # on a busy machine perhaps more than once
    os.kill(muxing, signal.SIGKILL)
    wait_until(lambda: up.output().count("✗ muxing") > crashed, START_S, up.output)
    wait_until(lambda: up.output().count("✓ muxing") > begun, START_S, up.output)

    assert up.interrupt() == 0
    wait_until(lambda: not up.members(), STOP_S, up.members)


@pytest.mark.timeout(1200)
def test_even_a_kill_of_the_supervisor_leaves_nothing(up: Up) -> None:
    up.wait_for("kafka", START_S)
    assert up.members()

    up.process.kill()

    wait_until(lambda: not up.members(), STOP_S, up.members)
