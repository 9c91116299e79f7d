"""Prints the report: the media side by side, then everything that came of them."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.local.demo.report import LATENCY_GOAL_MS, Medium, Report, Row


def show(report: Report, console: Console) -> None:
    console.print()
    console.print(_media(report))
    console.print()
    console.print(_rows(report))


def _media(report: Report) -> Table:
    table = Table(
        title="From Zoom's socket to a consumer of the topics: received/sent",
        caption=latency_goal(report.media),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("")
    for heading in ("frames", "bytes", "lost", "twice", "content", "p50 / p99 ms"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for medium in report.media:
        table.add_row(*_medium(medium))
    return table


def latency_goal(media: Sequence[Medium]) -> str:
    """The goal in words, and who missed it."""
    missed = ", ".join(medium.name for medium in media if not medium.quick)
    goal = f"goal for p99, from a frame's arrival to the consumer: {LATENCY_GOAL_MS:.0f} ms"
    return f"{goal}, missed by {missed}" if missed else goal


def _medium(medium: Medium) -> list[str | Text]:
    latency = "–"
    if medium.latency_ms:
        latency = f"{medium.latency_ms['p50']} / {medium.latency_ms['p99']}"
    return [
        medium.name,
        _pair(medium.frames),
        _pair(medium.size_bytes) if medium.size_bytes[1] else "–",
        str(medium.lost),
        str(medium.doubled),
        "same" if medium.identical else "differs",
        Text(latency, style="default" if medium.quick else "yellow"),
        _mark(medium.whole, must=True),
    ]


def _pair(values: tuple[int, int]) -> str:
    return f"{values[0]}/{values[1]}"


def _rows(report: Report) -> Table:
    table = Table(
        title="What came of it", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for heading in ("", "measured", "sent, or goal", ""):
        table.add_column(heading)
    for row in report.rows:
        table.add_row(row.name, row.measured, row.expected, _verdict(row))
    return table


def _verdict(row: Row) -> Text:
    return Text("") if row.met is None else _mark(row.met, must=row.kind == "must")


def _mark(met: bool, *, must: bool) -> Text:
    if met:
        return Text("✓", style="green")
    return Text("✗", style="bold red") if must else Text("○ missed", style="yellow")
