"""A child process that says over HTTP when it is ready: the registry, the ClickHouse engine, every service."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.local.ports import LOOPBACK, is_free
from deploy.local.process import Process
from deploy.local.settings import REPOSITORY

_POLL_S = 0.05
_PROBE_TIMEOUT_S = 2.0


class ServerFailed(RuntimeError):
    """A server ended or did not become ready; the message names its log."""


class Program(NamedTuple):
    """What to run and how to ask it whether it is ready: GET `probe_path` on `port` answers 200."""

    name: str
    argv: Sequence[str]
    port: int
    probe_path: str
    log: Path
    env: Mapping[str, str] = {}


class Server:
    """One program as a child process that can be stopped, killed and started again on the same port."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """Base address on the loopback interface."""
        return f"http://{LOOPBACK}:{self.program.port}"

    @property
    def pid(self) -> int | None:
        """Process id while one was started and not yet stopped."""
        return self._process.pid if self._process else None

    def exit_code(self) -> int | None:
        """None while the program runs."""
        return self._process.exit_code() if self._process else 0

    def start(self, timeout_s: float = 60.0) -> None:
        """Start and return when the program says it is ready."""
        self.launch()
        self.wait_ready(timeout_s)

    def launch(self) -> None:
        """Start without waiting."""
        if self._process is not None and self._process.exit_code() is None:
            raise ServerFailed(f"{self.program.name} is already running")
        if not is_free(self.program.port):
            raise ServerFailed(f"{self.program.name}: port {self.program.port} is taken by another process")
        self._process = Process(self.program.argv, self.program.log, self._environment())

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Return when the probe answers 200; raises ServerFailed when the program ends or is too slow."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if self.exit_code() is not None:
                raise ServerFailed(f"{self.program.name} ended with code {self.exit_code()}: see {self.program.log}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.program.name} not ready after {timeout_s:.0f} s: see {self.program.log}")
            time.sleep(_POLL_S)

    def is_ready(self) -> bool:
        """Whether the program runs and its probe answers 200 now."""
        return self.exit_code() is None and answers(self.program.port, self.program.probe_path)

    def stop(self, grace_s: float = 15.0) -> None:
        """SIGTERM, then SIGKILL after the grace."""
        if self._process is not None:
            self._process.stop(grace_s)
            self._process = None

    def ask_to_stop(self) -> None:
        """SIGTERM without waiting."""
        if self._process is not None:
            self._process.ask_to_stop()

    def kill(self) -> None:
        """SIGKILL to the program and its children."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _environment(self) -> dict[str, str]:
        paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **self.program.env}


def answers(port: int, path: str) -> bool:
    """Whether GET answers 200 on the loopback port."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_PROBE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
