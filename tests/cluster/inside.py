"""`python -m tests.cluster.inside`: a cluster and everything that is done to it; run by `enclosure` alone."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from connectors.kafka.settings import KafkaSettings
from deploy.local.settings import REPOSITORY
from deploy.local.signals import Interrupted, interruptible
from deploy.local.unit import UnitFailed
from scripts.chart.documents import CHART
from tests.cluster import network
from tests.cluster.chapters import CHAPTERS, EARLIER, OURS
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl, Refused
from tests.cluster.meetings import Meetings
from tests.cluster.node import Node
from tests.cluster.outsiders import PARTITIONS, Outsiders
from tests.cluster.release import ADMIN_TOKEN, NAME, NAMESPACE, Release
from tests.cluster.stopwatch import Stopwatch

_LOG_LINES = 15


class Options(argparse.Namespace):
    """What the outside has prepared."""

    folder: Path
    chapters: list[str]


def main() -> int:
    """0 when all held, 1 when something did not, 130 when it was ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.inside", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="what was prepared, state and logs of the run")
    parser.add_argument("chapters", nargs="*", choices=CHAPTERS, help="in this order")
    options = parser.parse_args(namespace=Options())
    console = Console(highlight=False)
    watch = Stopwatch(options.folder / "times.jsonl", console)
    with interruptible(lambda: sys.exit(130)):
        try:
            _run(options, watch)
            return 0
        except (Interrupted, asyncio.CancelledError):
            return 130
        except (AssertionError, Refused, UnitFailed) as failure:
            console.print(Text(str(failure), style="red"), soft_wrap=True)
            return 1


def _run(options: Options, watch: Stopwatch) -> None:
    programs = {name: Path(path) for name, path in json.loads((options.folder / "programs.json").read_text()).items()}
    logs = options.folder / "logs"
    network.prepare()
    with watch.step("a cluster"):
        with watch.step("control plane"):
            plane = ControlPlane(programs, options.folder / "control-plane", logs)
            plane.start()
        kubectl = Kubectl(programs["kubectl"], plane.config, NAMESPACE)
        with watch.step("node"):
            archives = sorted(options.folder.glob("image-*.tar"))
            Node(programs, plane.config, options.folder / "node", logs).start(archives, kubectl)
    with watch.step("Kafka, registry, ClickHouse and a bucket outside of it"):
        outsiders = Outsiders(options.folder / "outside", logs).__enter__()
    charts = {OURS: CHART, EARLIER: options.folder / "earlier" / CHART.relative_to(REPOSITORY)}
    release = Release(kubectl, plane.config, outsiders, charts)
    kafka = KafkaSettings(
        bootstrap_servers=outsiders.kafka.from_pods, registry_url=outsiders.registry_url, partitions=PARTITIONS
    )
    try:
        release.prepare()
        asyncio.run(_until_asked(_play(options.chapters, kubectl, release, kafka, watch)))
    except BaseException:
        _keep_logs(kubectl, logs)
        raise


async def _until_asked(chapters: Coroutine[Any, Any, None]) -> None:
    """A signal ends the chapters, and not whichever task of the simulated Zoom has its turn."""
    playing, loop = asyncio.create_task(chapters), asyncio.get_running_loop()

    def end() -> None:
        loop.call_soon_threadsafe(playing.cancel)

    with interruptible(lambda: os._exit(130), ask=end):
        await playing


async def _play(
    chapters: Sequence[str], kubectl: Kubectl, release: Release, kafka: KafkaSettings, watch: Stopwatch
) -> None:
    async with Meetings(ADMIN_TOKEN, kafka) as meetings:
        cluster = Cluster(kubectl, release, meetings, watch)
        for name in chapters:
            with watch.step(f"helm install of {CHAPTERS[name].on}"):
                await asyncio.to_thread(release.install, CHAPTERS[name].on)
                await asyncio.to_thread(meetings.reach, _api_url(kubectl))
            with watch.step(name):
                await CHAPTERS[name].play(cluster)


def _api_url(kubectl: Kubectl) -> str:
    service = kubectl.one("service", f"{NAME}-api")["spec"]
    return f"http://{service['clusterIP']}:{service['ports'][0]['port']}"


def _keep_logs(kubectl: Kubectl, logs: Path) -> None:
    """What the pods said, for whoever is to find out why."""
    for what, command in {
        "pods": ("describe", "pods"),
        "events": ("get", "events", "--sort-by=.lastTimestamp"),
        "said": ("logs", "--selector", f"app.kubernetes.io/name={NAME}", "--prefix", "--tail=-1", "--all-containers"),
    }.items():
        try:
            (logs / f"{what}.log").write_text(kubectl(*command, "--max-log-requests=50" if what == "said" else "--v=0"))
        except Refused as why:
            (logs / f"{what}.log").write_text(str(why))


if __name__ == "__main__":
    sys.exit(main())
