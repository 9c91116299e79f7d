"""`make bench`: what it costs, beside what others cost. One run, medians, both sides in turn; also build/bench.json.

Not a test: nothing fails when a goal is missed, the table says so.
"""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rich.console import Console

from deploy.local.settings import REPOSITORY
from tests.bench import table
from tests.bench.machine import describe
from tests.bench.rows import Row

GROUPS = ("wire", "sessions", "muxing", "faust", "recogniser", "control", "embedded")
"""Modules of this folder; each has `measure(rounds, say) -> list[Row]`."""

Say = Callable[[str], None]


def main() -> int:
    """The exit code: 0 unless a measurement could not be made at all."""
    options = _options()
    console = Console(highlight=False)
    machine = describe()
    console.print(f"{machine['cpu']}, {machine['cores']} cores, {machine['python']}", style="dim")
    rows: list[Row] = []
    for name in options.only or GROUPS:
        console.print(f"{name} …", style="bold")
        measure = import_module(f"tests.bench.{name}").measure
        rows += measure(options.rounds, lambda text: console.print(f"  {text}", style="dim"))
        _write(options.output, machine, rows)
    table.show(rows, console)
    console.print(f"also in {options.output}", style="dim")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="measure these alone")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is measured (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "bench.json")
    return parser.parse_args()


def _write(path: Path, machine: dict[str, object], rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine, "rows": [row.document() for row in rows]}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
