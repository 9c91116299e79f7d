"""Prints the rows."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench.rows import Row


def show(rows: list[Row], console: Console) -> None:
    table = Table(title="Medians; both sides of a row measured in turn, in this run", title_style="bold")
    table.add_column("what")
    table.add_column("ours", justify="right", no_wrap=True)
    table.add_column("rival", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("ratio", justify="right", no_wrap=True)
    table.add_column("goal", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        what = Text(row.name)
        if row.rival_name:
            what.append(f"\n  against {row.rival_name}", style="dim")
        for note in filter(None, (row.note, _first_goal(row))):
            what.append(f"\n  {note}", style="dim")
        table.add_row(what, _figure(row.ours), _figure(row.rival) if row.rival_name else "", row.unit,
                      _times(row.ratio), _goal(row, row.goal), _verdict(row))  # fmt: skip
    console.print(table)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×"


def _goal(row: Row, goal: float | None) -> str:
    if goal is None:
        return ""
    if row.rival_name:
        return f"≥ {goal:g}×"
    return f"{'≥' if row.more_is_better else '≤'} {goal:g}"


def _first_goal(row: Row) -> str:
    """Beside the stricter one that took its place."""
    verdict = _VERDICTS[row.first_met]
    return f"the first goal was {_goal(row, row.first_goal)}: {verdict}" if verdict else ""


_VERDICTS = {True: "met", False: "missed", None: ""}


def _verdict(row: Row) -> Text:
    return Text(_VERDICTS[row.met], style="green" if row.met else "bold red")
