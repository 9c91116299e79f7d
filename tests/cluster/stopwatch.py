"""Where the time went: every step is announced, timed and listed at the end, whatever became of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

LONG_S = 0.5


class Stopwatch:
    """Steps of one or several processes, kept in one file."""

    def __init__(self, file: Path, console: Console) -> None:
        self._file = file
        self._console = console
        self._depth = 0

    def say(self, text: str, style: str = "") -> None:
        """One line about the step that is under way."""
        self._console.print(Text("  " * self._depth + text, style=style), soft_wrap=True)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Say what begins, and how long it took when it ends."""
        self.say(what, "bold" if self._depth == 0 else "")
        depth, began, has_failed = self._depth, time.monotonic(), True
        self._depth += 1
        try:
            yield
            has_failed = False
        finally:
            self._depth = depth
            self._note(what, time.monotonic() - began, has_failed)

    def table(self) -> None:
        """Print all steps that took time."""
        self._console.print(Text("\nWhere the time went", style="bold"))
        for line in self._file.read_text().splitlines():
            what, depth, took_s, has_failed = json.loads(line)
            if took_s >= LONG_S or has_failed:
                marks = "  failed" if has_failed else ""
                self._console.print(Text(f"  {took_s:7.1f} s  {'  ' * depth}{what}{marks}"), soft_wrap=True)

    def _note(self, what: str, took_s: float, has_failed: bool) -> None:
        if not has_failed:
            self.say(f"  {took_s:.1f} s", "dim")
        with self._file.open("a") as file:
            file.write(json.dumps([what, self._depth, took_s, has_failed]) + "\n")
