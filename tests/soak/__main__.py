"""`make soak`: meetings at once, everything done to the pipeline that may happen to it, and every result compared.

The seed decides the meetings and what is done when; the same seed plays the same again. Exit code 0 when nothing was
lost, doubled or changed, 1 when something was (which is said in a line each), 2 when it could not be run.
"""

import argparse
import logging
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from connectors.host.logs import configure
from connectors.host.settings import LogSettings
from deploy.local.broker.jars import JarsUnavailable
from deploy.local.broker.java import NoJava
from deploy.local.settings import REPOSITORY
from deploy.local.signals import Interrupted, interruptible
from deploy.local.unit import UnitFailed
from tests.soak.act import Act, Result, Theatre
from tests.soak.meetings import meetings
from tests.soak.plan import FULL, MOVEMENTS, SHORT, draw, draw_seconds, nominal_s
from tests.soak.stage import Stage

SHORTER = 10
SHORTEST_S = 20
ROOM_MIB_PER_S = 0.5
SETTLE_S = 900.0
SHOWN = 40


def main() -> int:
    """The exit code."""
    options = _options()
    console = Console(highlight=False)
    console.print(Text(f"seed {options.seed}", style="bold"))
    shutil.rmtree(options.folder, ignore_errors=True)
    _log_to(options.folder / "soak.log")
    stage = Stage(options.folder, room_mib=64 + round(sum(_lengths_s(options)) * ROOM_MIB_PER_S))

    def insist() -> None:
        stage.kill()
        os._exit(130)

    with interruptible(insist):
        try:
            return _run(stage, options, console)
        except Interrupted:
            console.print("The soak was ended.")
            return 130
        except (UnitFailed, NoJava, JarsUnavailable) as failure:
            console.print(Text(str(failure), style="red"), soft_wrap=True)
            return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10_000), help="default: another each time")
    parser.add_argument("--meetings", type=int, default=10, help="at once (default: %(default)s)")
    parser.add_argument(
        "--minutes", type=float, default=60.0,
        help=f"of the longest meeting; the others last a {SHORTER}th (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument("--kills", type=int, default=FULL.kills, help="of each process (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=list(MOVEMENTS), metavar="FAULT", help=", ".join(MOVEMENTS))
    parser.add_argument("--short", action="store_true", help="outages and freezes as short as in `make test`")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / "run" / "soak", help="data and logs; made anew")
    return parser.parse_args()


def _lengths_s(options: argparse.Namespace) -> list[int]:
    longest_s = max(SHORTEST_S, round(options.minutes * 60))
    return [longest_s] + [max(SHORTEST_S, longest_s // SHORTER)] * (options.meetings - 1)


def _log_to(path: Path) -> None:
    """What our own clients say; the terminal is for people."""
    path.parent.mkdir(parents=True)
    configure("soak", LogSettings(format="console"))
    for handler in logging.getLogger().handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(path.open("w"))


def _run(stage: Stage, options: argparse.Namespace, console: Console) -> int:
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(Text(f"{time.monotonic() - began:7.0f} s  {text}", style="dim"), soft_wrap=True)

    played = meetings(options.seed, _lengths_s(options))
    say(f"drawing {len(played)} meetings of {' + '.join(str(length) for length in _lengths_s(options))} s")
    for meeting in played:
        meeting.prepare()
    say("starting the pipeline")
    with stage:
        theatre = Theatre(stage, say, SETTLE_S)
        try:
            results = [theatre.play(act) for act in _acts(options, say)]
        finally:
            theatre.close()
    for name, count in stage.ended_by_themselves.items():
        say(f"{name} ended by itself {count} times and was started again")
    return _verdict(results, stage, options, console)


def _acts(options: argparse.Namespace, say: Callable[[str], None]) -> list[Act]:
    """Undisturbed first: what is compared with must be what a calm pipeline does."""
    scale = replace(SHORT if options.short else FULL, kills=options.kills)
    plan = draw(options.seed, scale, tuple(options.only or MOVEMENTS))
    say(f"undisturbed, then {', '.join(movement.name for movement in plan)}: about {nominal_s(plan) / 60:.0f} minutes")
    together = meetings(options.seed, _lengths_s(options))
    at_once = draw_seconds(options.seed, (), len(together))
    over_the_plan = draw_seconds(options.seed, plan, len(together))
    return [Act("undisturbed", together, at_once, ()), Act("disturbed", together, over_the_plan, plan)]


def _verdict(results: list[Result], stage: Stage, options: argparse.Namespace, console: Console) -> int:
    for name, result in zip(("undisturbed", "disturbed"), results, strict=True):
        console.print(
            f"{name}: {result.sessions} sessions, {result.faults} faults, {result.records:,} records in, "
            f"{result.windows:,} results out ({result.again} of them written again, as the same), "
            f"{len(result.differences)} differences, {result.seconds / 60:.0f} minutes",
            soft_wrap=True,
        )
        for skipped in result.skipped:
            console.print(Text(f"NOT RUN: {skipped}", style="bold yellow"), soft_wrap=True)
    differences = [line for result in results for line in result.differences]
    for line in differences[:SHOWN]:
        console.print(Text(line, style="red"), soft_wrap=True)
    if differences:
        console.print(Text("Something was lost, doubled or changed.", style="bold red"))
        console.print(f"logs: {stage.logs}", f'again: make soak ARGS="{_arguments(options)}"', sep="\n", soft_wrap=True)
        return 1
    console.print(Text("Nothing was lost, nothing doubled, nothing changed.", style="bold green"))
    return 0


def _arguments(options: argparse.Namespace) -> str:
    """What plays the same again."""
    given = f"--seed {options.seed} --meetings {options.meetings} --minutes {options.minutes:g} --kills {options.kills}"
    return given + (" --short" if options.short else "") + (f" --only {' '.join(options.only)}" if options.only else "")


if __name__ == "__main__":
    sys.exit(main())
