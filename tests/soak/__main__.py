"""`make soak`: meetings at once, everything done to the pipeline that may happen to it, and every result compared.

The seed decides the meetings and what is done when; the same arguments play the same again. Exit code 0 when nothing
was lost, doubled or changed, no process ended by itself and the API was always truthful, 1 when something was not so
(which is said in a line each), 2 when it could not be run.
"""

import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from connectors.host.logs import configure
from connectors.host.settings import LogSettings
from deploy.local.broker.jars import JarsUnavailable
from deploy.local.broker.java import NoJava
from deploy.local.signals import Interrupted, interruptible
from deploy.local.unit import UnitFailed
from tests.soak.act import Act, Result, Theatre
from tests.soak.folder import Taken, made_anew
from tests.soak.options import Options, parsed
from tests.soak.plan import nominal_s
from tests.soak.stage import Stage

ROOM_MIB_PER_S = 0.5
SETTLE_S = 900.0
HEARD_S_PER_S = 0.25
"""A guard against hanging, no promise: meetings are played faster than they are heard, on a busy machine by much."""
SHOWN = 40
DRAWING_TOLD_S = 30.0

Say = Callable[[str], None]
Played = tuple[Act, Result]


def main() -> int:
    """The exit code."""
    options = parsed()
    console = Console(highlight=False)
    try:
        with made_anew(options.folder) as log:
            return _staged(options, console, log)
    except Taken as taken:
        console.print(Text(str(taken), style="red"), soft_wrap=True)
        return 2


def _staged(options: Options, console: Console, log: Path) -> int:
    console.print(Text(f"seed {options.seed}; the same again: {options.command}", style="bold"), soft_wrap=True)
    _log_to(log)
    stage = Stage(options.folder, room_mib=64 + round(sum(options.lengths_s) * ROOM_MIB_PER_S))

    def insist() -> None:
        stage.kill()
        os._exit(130)

    played: list[Played] = []
    with interruptible(insist):
        try:
            return _run(stage, options, console, played)
        except Interrupted:
            _tell(played, console)
            console.print("The soak was ended." + (" What was complete stands above." if played else ""))
            return 130
        except (UnitFailed, NoJava, JarsUnavailable) as failure:
            console.print(Text(str(failure), style="red"), soft_wrap=True)
            return 2


def _log_to(path: Path) -> None:
    """What our own clients say; the terminal is for people."""
    configure("soak", LogSettings(format="console"))
    for handler in logging.getLogger().handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(path.open("w"))


def _run(stage: Stage, options: Options, console: Console, played: list[Played]) -> int:
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(Text(f"{time.monotonic() - began:7.0f} s  {text}", style="dim"), soft_wrap=True)

    acts = _acts(options, say)
    for number, meeting in enumerate(acts[0].meetings, 1):
        meeting.prepare(progress=_told(f"drawing the pictures of meeting {number} of {len(acts[0].meetings)}", say))
    say("starting the pipeline")
    with stage:
        theatre = Theatre(stage, say, SETTLE_S + HEARD_S_PER_S * sum(options.lengths_s))
        try:
            for act in acts:
                played.append((act, theatre.play(act)))
        finally:
            theatre.close()
    return _verdict(played, stage, options, console)


def _told(what: str, say: Say) -> Callable[[int, int], None]:
    """Says every half minute how far it is; nothing where it is quick."""
    since_s = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal since_s
        if time.monotonic() - since_s > DRAWING_TOLD_S:
            since_s = time.monotonic()
            say(f"{what}: {done:,} of {total:,}")

    return tell


def _acts(options: Options, say: Say) -> list[Act]:
    acts = [options.undisturbed(), options.disturbed()]
    movements, seconds = ", ".join(options.movements), nominal_s(acts[1].plan)
    say(f"{len(options.lengths_s)} meetings of {' + '.join(map(str, options.lengths_s))} s")
    say(f"first undisturbed, then {movements}: these take {_about(seconds)}, and as long as it takes to hear all of it")
    return acts


def _about(seconds: float) -> str:
    return f"about {seconds / 60:.0f} minutes" if seconds >= 100 else f"about {seconds:.0f} s"


def _verdict(played: list[Played], stage: Stage, options: Options, console: Console) -> int:
    if _tell(played, console):
        console.print(Text("Something was lost, doubled or changed.", style="bold red"))
        console.print(f"logs: {stage.logs}", f"again: {options.command}", sep="\n", soft_wrap=True)
        return 1
    console.print(Text("Nothing was lost, nothing doubled, nothing changed.", style="bold green"))
    return 0


def _tell(played: list[Played], console: Console) -> list[str]:
    """What the acts came to; all their differences."""
    for act, result in played:
        console.print(
            f"{act.name}: {result.sessions} sessions, {_counted(result)}, {result.records:,} records in, "
            f"{result.windows:,} results out ({result.again} of them written again, as the same), "
            f"{result.partials:,} partials, "
            f"{result.copies} copies in customers' buckets (which refused {result.turned_away} times), "
            f"{sum(result.answered.values()):,} answers of the API ({sum(result.refused.values()):,} times none), "
            f"{len(result.differences)} differences, {_about(result.seconds)}",
            soft_wrap=True,
        )
        for fault, count in result.skipped.items():
            takes = "a small file system for the object folder, which takes root"
            console.print(Text(f"NOT RUN: {count} × {fault}: {takes}", style="bold yellow"), soft_wrap=True)
    differences = [line for _, result in played for line in result.differences]
    for line in differences[:SHOWN]:
        console.print(Text(line, style="red"), soft_wrap=True)
    if len(differences) > SHOWN:
        console.print(Text(f"and {len(differences) - SHOWN} more", style="red"))
    return differences


def _counted(result: Result) -> str:
    """How many faults of which kind."""
    kinds: Counter[str] = Counter()
    for fault, count in result.done.items():
        kinds[fault.kind] += count
    faults = ", ".join(f"{count} × {kind}" for kind, count in kinds.items()) or "no faults"
    return faults + (f" (a process had to leave because of it {result.departures} times)" if result.departures else "")


if __name__ == "__main__":
    sys.exit(main())
