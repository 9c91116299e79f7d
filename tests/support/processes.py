"""Our services as processes under test: started with the session's stack, killed and stopped by their own pid."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.stack import REPOSITORY, child_env


class Process:
    """One of our services; its output goes to a file that failures show."""

    def __init__(self, arguments: list[str], env: dict[str, str], log: Path) -> None:
        self._arguments = [sys.executable, *arguments]
        self._env = env
        self._log = log
        self._popen: subprocess.Popen[bytes] | None = None
        self.health_port = 0

    def start(self) -> Process:
        self.health_port = free_port()
        env = child_env(self._env | {"RTMS_HEALTH_PORT": str(self.health_port)})
        with self._log.open("ab") as out:
            self._popen = subprocess.Popen(
                self._arguments, env=env, cwd=REPOSITORY, stdout=out, stderr=out, start_new_session=True
            )
        return self

    def wait_ready(self, timeout_s: float = 60) -> Process:
        wait_for(self._is_ready, timeout_s, lambda: f"{self._arguments[1:]} is not ready:\n{self.output()[-4000:]}")
        return self

    def kill(self) -> None:
        """kill -9, children included."""
        self._signal(signal.SIGKILL)

    def stop(self, timeout_s: float = 30) -> int:
        """SIGTERM; the exit code."""
        assert self._popen is not None
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self._arguments[1:]} did not stop:\n{self.output()[-4000:]}") from None

    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def output(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        import os

        assert self._popen is not None
        if self._popen.poll() is None:
            os.killpg(self._popen.pid, number)
        self._popen.wait(10)

    def _is_ready(self) -> bool:
        assert self.running(), f"{self._arguments[1:]} ended:\n{self.output()[-4000:]}"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def running(arguments: list[str], env: dict[str, str], log: Path) -> Iterator[Process]:
    """A started, ready process that is gone afterwards."""
    process = Process(arguments, env, log).start()
    try:
        yield process.wait_ready()
    finally:
        if process.running():
            process.kill()


def wait_for(condition: Callable[[], bool], timeout_s: float, failure: Callable[[], str]) -> None:
    """Wait until `condition` holds; `failure` is asked for the message when it did not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(failure())
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
