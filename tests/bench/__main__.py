"""`make bench`: what it costs, beside what others cost. One run, medians, both sides in turn; also build/bench.json.

Not a test: nothing fails when a goal is missed, the table says so. A group that cannot be measured here says what it
lacks, and the others are measured; what was measured before a Ctrl-C is shown and written (a second one is final).
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.local.settings import REPOSITORY
from deploy.local.signals import Interrupted, interruptible
from tests.bench import table
from tests.bench.machine import describe
from tests.bench.rows import Row

GROUPS = (
    "wire",
    "sessions",
    "sdk",
    "muxing",
    "composing",
    "faust",
    "recogniser",
    "control",
    "live",
    "embedded",
    "setup",
)
"""Modules of this folder; each has `measure(rounds, say) -> list[Row]`."""

INTERRUPTED = 130
_BUSY = 0.5
_WIDTH = 130

Say = Callable[[str], None]


def main() -> int:
    """The exit code: 0 when everything asked for was measured, whether or not goals were met."""
    options = _options()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    machine = describe()
    _introduce(console, machine)
    rows: list[Row] = []
    code = 0
    try:
        with interruptible(lambda: os._exit(INTERRUPTED)):
            names = options.only or GROUPS
            for number, name in enumerate(names, 1):
                console.print(f"{name} ({number} of {len(names)}) …", style="bold")
                began = time.monotonic()
                measured = _measure(name, options.rounds, console)
                console.print(Text(f"  {name} took {_duration(time.monotonic() - began)}", style="dim"))
                code = code or int(not measured)
                rows += measured or [Row(name=name, unit="", ours=None, note="not measured, see above")]
                _write(options.output, machine, rows)
    except Interrupted:
        console.print("interrupted; what was complete:")
        code = INTERRUPTED
    table.show(rows, console)
    console.print(Text(f"also in {options.output}", style="dim"), soft_wrap=True)
    return code


def _measure(name: str, rounds: int, console: Console) -> Sequence[Row]:
    """Nothing when the group could not be measured; why has been said."""
    try:
        rows: Sequence[Row] = import_module(f"tests.bench.{name}").measure(
            rounds, lambda text: console.print(Text(f"  {text}", style="dim"))
        )
    except Exception as failure:  # noqa: BLE001  # whatever one group lacks, the others have their figures
        console.print(Text(f"  not measured: {type(failure).__name__}: {failure}", style="red"), soft_wrap=True)
        return ()
    return rows


def _duration(seconds: float) -> str:
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s" if seconds >= 60 else f"{seconds:.0f} s"


def _introduce(console: Console, machine: dict[str, object]) -> None:
    console.print(
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"{machine['python']}",
        style="dim",
    )
    load = machine["load_before"]
    if isinstance(load, float) and load > _BUSY:
        console.print(f"the machine was busy before (load {load:.1f}): trust ratios, not times", style="yellow")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="measure these alone")
    parser.add_argument(
        "--rounds", type=_rounds, default=3, metavar="N", help="how often each side is measured (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "bench.json")
    return parser.parse_args()


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rounds: 1 or more")
    return int(text)


def _write(path: Path, machine: dict[str, object], rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine, "rows": [row.document() for row in rows]}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
