"""What people see while a stack comes up and something crashes."""

from __future__ import annotations

import io

from rich.console import Console

from deploy.local.console import ConsoleReport
from deploy.local.report import Event


def told(*events: tuple[Event, str, str], terminal: bool = False) -> str:
    output = io.StringIO()
    report = ConsoleReport(Console(file=output, width=100, force_terminal=terminal, highlight=False))
    for event, name, detail in events:
        report.tell(event, name, detail)
    return output.getvalue()


def test_one_line_per_thing_that_happened() -> None:
    lines = told(
        (Event.STARTING, "kafka", ""),
        (Event.READY, "kafka", "1.2 s"),
        (Event.CRASHED, "muxing", "exit code -9, again in 0.5 s: see /logs/muxing.log"),
    ).splitlines()

    assert [line.split() for line in lines] == [
        ["✓", "kafka", "ready", "1.2", "s"],
        ["✗", "muxing", "crashed", *"exit code -9, again in 0.5 s: see /logs/muxing.log".split()],
    ]


def test_a_terminal_shows_who_is_awaited() -> None:
    output = told(
        (Event.STARTING, "kafka", ""), (Event.STARTING, "registry", ""), (Event.READY, "registry", ""), terminal=True
    )

    assert "starting kafka, registry" in output
    assert "✓" in output


def test_a_terminal_that_has_gone_away_is_no_reason_to_fail() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    ConsoleReport(Console(file=Gone(), force_terminal=True)).tell(Event.STOPPED, "kafka")


def test_brackets_in_a_detail_are_text() -> None:
    assert "[red]" in told((Event.FAILED, "api", "[red]"))
