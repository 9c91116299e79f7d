"""One long-running child process with a probe: the broker, the registry, the ClickHouse engine, every service."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.local.disk import shortage
from deploy.local.ports import is_free
from deploy.local.process import Process
from deploy.local.settings import REPOSITORY

_POLL_S = 0.05

PATIENCE_S = 180.0
"""For a program to be ready, where nobody says otherwise: many start at once on a machine of two cores."""


class UnitFailed(RuntimeError):
    """A process ended, or did not become ready; `log` is where it said why, if it got so far."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(f"{message}: see {log}" if log else message)
        self.log = log


class Program(NamedTuple):
    """What to run. `port` is where its probe answers; `env` is added to our own environment."""

    name: str
    argv: Sequence[str]
    port: int
    log: Path
    env: Mapping[str, str] = {}


class Unit:
    """One program that can be stopped, killed and started again on the same port.

    `probe` says whether the program behind the port is ready; an empty string means yes, else it is the reason.
    """

    def __init__(self, program: Program, probe: Callable[[], str]) -> None:
        self.program = program
        self._probe = probe
        self._process: Process | None = None

    @property
    def name(self) -> str:
        """What the process is called in logs and reports."""
        return self.program.name

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.program.log

    @property
    def pid(self) -> int | None:
        """Process id while one was started and not yet stopped."""
        return self._process.pid if self._process else None

    def explanation(self) -> str:
        """Why the program ended, as far as more than its log tells it; else empty."""
        return shortage(self.program.log.parent)

    def exit_code(self) -> int | None:
        """None while the program runs."""
        return self._process.exit_code() if self._process else 0

    def start(self, timeout_s: float = PATIENCE_S) -> None:
        """Start, or start again on the same port, and return when the program is ready."""
        self.launch()
        self.wait_ready(timeout_s)

    def launch(self) -> None:
        """Start without waiting."""
        if self._process is not None and self._process.exit_code() is None:
            raise UnitFailed(f"{self.name} is already running")
        if not is_free(self.program.port):
            raise UnitFailed(f"{self.name}: port {self.program.port} is taken by another process")
        self._process = Process(self.program.argv, self.log, child_environment(self.program.env))

    def is_ready(self) -> bool:
        """Whether the program runs and its probe is content."""
        return self.exit_code() is None and not self._probe()

    def wait_ready(self, timeout_s: float = PATIENCE_S) -> None:
        """Return when the probe is content; raises UnitFailed when the program ends or is too slow."""
        deadline = time.monotonic() + timeout_s
        while why := self._probe():
            if self.exit_code() is not None:
                raise self._ended()
            if time.monotonic() > deadline:
                raise UnitFailed(f"{self.name} is not ready after {timeout_s:.0f} s ({why})", self.log)
            time.sleep(_POLL_S)

    def _ended(self) -> UnitFailed:
        ended, why = f"{self.name} ended with exit code {self.exit_code()}", self.explanation()
        return UnitFailed(f"{ended}: {why}" if why else ended, self.log)

    def ask_to_stop(self) -> None:
        """SIGTERM without waiting."""
        if self._process is not None:
            self._process.ask_to_stop()

    def stop(self, grace_s: float = 30.0) -> None:
        """SIGTERM, then SIGKILL after the grace."""
        if self._process is not None:
            self._process.stop(grace_s)
            self._process = None

    def kill(self) -> None:
        """SIGKILL to the program and its children; what it had on disk stays. Several threads may do so at once."""
        process = self._process
        if process is not None:
            process.kill()
            self._process = None


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Our own environment with the settings on top and our packages importable, whatever folder the child runs in."""
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **settings}
