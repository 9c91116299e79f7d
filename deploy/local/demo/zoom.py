"""The simulated Zoom as a process of its own, driven over its control address."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.local.settings import REPOSITORY
from deploy.local.unit import UnitFailed

PREPARE_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 10.0


class SimulatedZoom:
    """Use it as a context manager; a meeting's pictures are drawn before it listens, once per seed and length."""

    def __init__(self, webhook_url: str, log: Path, *, seed: int, seconds: int) -> None:
        self._arguments = [
            *("--start", "on-request", "--seed", str(seed), "--seconds", str(seconds)),
            *("--webhook-url", webhook_url),
        ]
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._control: httpx.Client | None = None

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "connectors.rtms.simulator", *self._arguments],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            self._control = httpx.Client(base_url=self._listening(), timeout=PREPARE_TIMEOUT_S, trust_env=False)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._control is not None:
            self._control.close()
        self._end()

    def start_meeting(self) -> str:
        """Begin now; the stream's id. Zoom's webhook follows."""
        return str(self._call("POST", "/meetings")["rtms_stream_id"])

    def truth(self, stream_id: str) -> dict[str, Any]:
        """What was really sent."""
        return self._call("GET", f"/meetings/{stream_id}/truth")

    def _listening(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise UnitFailed("the simulated Zoom did not start", self._log)
        return str(json.loads(line)["listening"]["control"])

    def _call(self, method: str, path: str) -> dict[str, Any]:
        assert self._control is not None
        answer = self._control.request(method, path)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
