"""What the supervisor tells, as lines for people: who is coming up, who is there, who crashed, when it comes again."""

from __future__ import annotations

import contextlib
import threading

from rich.console import Console
from rich.status import Status
from rich.text import Text

from deploy.local.report import Event

_MARKS = {
    Event.READY: ("✓", "green"),
    Event.CRASHED: ("✗", "red"),
    Event.FAILED: ("✗", "red"),
    Event.STOPPED: ("·", "dim"),
}


class ConsoleReport:
    """One line per finished event; what is under way shows beside a spinner while there is a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._pending: list[str] = []
        self._verb = ""
        self._status: Status | None = None

    def tell(self, event: Event, name: str, detail: str = "") -> None:
        """Called from several threads. A terminal that has gone away (rich then exits) must not keep us from ending."""
        with self._lock, contextlib.suppress(OSError, SystemExit):
            if event in (Event.STARTING, Event.STOPPING):
                self._verb = event.value
                self._pending.append(name)
            else:
                self._pending = [pending for pending in self._pending if pending != name]
                self._print(event, name, detail)
            self._show()

    def _print(self, event: Event, name: str, detail: str) -> None:
        mark, style = _MARKS[event]
        line = Text.assemble((f" {mark} ", style), f"{name:<16}", (f"{event.value:<8}", style), (detail, "dim"))
        self._console.print(line, soft_wrap=True)

    def _show(self) -> None:
        if not self._console.is_terminal:
            return
        if not self._pending:
            if self._status is not None:
                self._status.stop()
                self._status = None
            return
        text = Text(f"{self._verb} {', '.join(self._pending)}", style="dim")
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)
