"""A child process that obeys lines and answers each with a line of JSON."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.local.settings import REPOSITORY
from deploy.local.unit import child_environment

_GRACE_S = 5.0
_SHOWN = 1500


class ChildFailed(RuntimeError):
    """A process of a measurement ended before its time; says what it said last."""


class Child:
    """`python -m` one of our modules. It ends with us: its input ends, whatever becomes of us."""

    def __init__(self, module: str, arguments: Sequence[object], log: Path, env: Mapping[str, str] | None = None):
        self._name, self._log = module.rpartition(".")[2], log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=REPOSITORY,
                env=child_environment(env or {}),
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> dict[str, Any]:
        """The answer to one line. Raises ChildFailed when there is none."""
        self.tell(line)
        return self.hear()

    def tell(self, line: str) -> None:
        """Say something and do not wait."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # `hear` says what became of it
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._log.read_text(errors="replace").strip()[-_SHOWN:]
            raise ChildFailed(f"the {self._name} process of the benchmark ended: {said}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Let it end, or end it."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
