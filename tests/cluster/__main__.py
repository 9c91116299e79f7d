"""`make test-cluster`: the chart on a real Kubernetes of this machine's own, with meetings through it.

Exit code 0 when everything held, 1 when something did not, 2 when this machine cannot run it (it says what it lacks).
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import sys
import time

from rich.console import Console
from rich.text import Text

from deploy.local.settings import REPOSITORY
from deploy.local.signals import Interrupted, interruptible
from scripts.chart.tools import Unavailable, helm, kubectl
from tests.cluster import earlier, enclosure, machine, programs
from tests.cluster.chapters import CHAPTERS, EARLIER, OURS
from tests.cluster.image import ImageFailed, Images
from tests.cluster.machine import Unfit
from tests.cluster.programs import BuildFailed
from tests.cluster.stopwatch import Stopwatch

CACHE = REPOSITORY / ".cache" / "cluster"
FOLDER = REPOSITORY / "run" / "cluster"


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CHAPTERS, default=list(CHAPTERS), help="some chapters of it")
    parser.add_argument("--earlier", default="", help="the revision to upgrade from, instead of the last tag")
    options = parser.parse_args()
    console = Console(highlight=False)
    began = time.monotonic()
    with interruptible(lambda: os._exit(130)):
        try:
            machine.check(is_to_build=not programs.are_built(CACHE / "programs"))
            code = _run([name for name in CHAPTERS if name in options.only], options.earlier, console)
        except Interrupted:
            code = 130
        except (Unfit, Unavailable) as why:
            console.print(Text(f"no cluster can run here:\n{why}", style="bold red"), soft_wrap=True)
            return 2
        except (BuildFailed, ImageFailed) as why:
            console.print(Text(str(why), style="red"), soft_wrap=True)
            code = 1
    verdict = {0: "Everything held.", 130: "The cluster was ended."}.get(code, "Something did not hold.")
    console.print(Text(f"\n{verdict} {time.monotonic() - began:.0f} s", style="bold"))
    return code


def _run(chapters: list[str], revision: str, console: Console) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unfit(f"another cluster runs on {FOLDER}: end it first") from None
        enclosure.clear(FOLDER)
        shutil.rmtree(FOLDER / "logs", ignore_errors=True)
        (FOLDER / "times.jsonl").unlink(missing_ok=True)
        watch = Stopwatch(FOLDER / "times.jsonl", console)
        try:
            _prepare(revision, watch)
            return enclosure.run(FOLDER, "--folder", str(FOLDER), *chapters)
        finally:
            watch.table()
            console.print(Text(f"logs: {FOLDER / 'logs'}", style="dim"))


def _prepare(revision: str, watch: Stopwatch) -> None:
    """Everything that is made from packages: none of it is fetched by the cluster itself."""
    with watch.step("programs"):
        found = programs.ensure(CACHE / "programs", watch) | {"helm": helm(), "kubectl": kubectl()}
        (FOLDER / "programs.json").write_text(json.dumps({name: str(path) for name, path in found.items()}))
    with watch.step("images"):
        images = Images(CACHE / "images", watch)
        wanted = {EARLIER: earlier.check_out(FOLDER / "earlier", revision), OURS: REPOSITORY}
        made = [images.build_pause(found["pause"]), *(images.build(tag, tree) for tag, tree in wanted.items())]
        images.export(FOLDER, *made)


if __name__ == "__main__":
    sys.exit(main())
