"""Child processes that never outlive us: each in its own process group, each known to the guard."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")

_GATE = ("/bin/sh", "-c", 'read -r _gate && exec "$@" </dev/null', "gate")
"""What each child is until the guard knows of it: should we die before that, it reads the end of a pipe and ends."""


class Guard:
    """The one guard process of this interpreter, started with the first child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """Kill this process group should we die."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """The group is gone; its number may be reused by somebody else."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the guard, which kills whatever is still listed."""
        with self._lock:
            if self._process is not None:
                self._process.communicate()
                self._process = None

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(GUARD)], stdin=subprocess.PIPE, start_new_session=True
                )
            pipe = self._process.stdin
            assert pipe is not None
            pipe.write(line.encode())
            pipe.flush()


_GUARD = Guard()
atexit.register(_GUARD.close)


class Process:
    """A running child with its whole process group, writing both its outputs to one log file."""

    def __init__(self, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [*_GATE, *argv],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                start_new_session=True,
            )
        self.log = log
        _GUARD.add(self.pid)
        pipe = self._popen.stdin
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError), pipe:  # of one that was killed meanwhile
            pipe.write(b"\n")

    @property
    def pid(self) -> int:
        """Process id, which is also the id of the process group."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while the process runs, else its exit code (negative: the signal that ended it)."""
        return self._popen.poll()

    def wait(self, timeout_s: float) -> int:
        """Wait for the process to end by itself; raises subprocess.TimeoutExpired."""
        code = self._popen.wait(timeout_s)
        self._clear()
        return code

    def ask_to_stop(self) -> None:
        """SIGTERM to the process alone, so that it can end its own children in its own order."""
        if self.exit_code() is None:
            self._popen.send_signal(signal.SIGTERM)

    def stop(self, grace_s: float) -> int:
        """End the process cleanly, by force after the grace; what its group still holds goes with it."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(grace_s)
        return self.kill()

    def kill(self) -> int:
        """SIGKILL to the whole group, reaped."""
        self._clear()
        return self._popen.wait()

    def _clear(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        _GUARD.remove(self.pid)
