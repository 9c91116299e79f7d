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
        if row.note:
            what.append(f"\n  {row.note}", style="dim")
        table.add_row(what, _figure(row.ours), _figure(row.rival) if row.rival_name else "", row.unit,
                      _times(row.ratio), _goal(row), _verdict(row))  # fmt: skip
    console.print(table)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    if row.rival_name:
        return f"≥ {row.goal:g}×"
    return f"{'≥' if row.more_is_better else '≤'} {row.goal:g}"


def _verdict(row: Row) -> Text:
    verdicts = {True: Text("met", style="green"), False: Text("missed", style="bold red"), None: Text("")}
    return verdicts[row.met]
