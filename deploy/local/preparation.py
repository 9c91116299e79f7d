"""`python -m deploy.local setup`: everything that is fetched or made once, with visible progress."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy.local.broker.jars import broker_jars
from deploy.local.broker.java import find_java
from deploy.local.broker.training import train_archive
from deploy.local.failures import EXPECTED, tell
from deploy.local.settings import LocalSettings


def prepare(settings: LocalSettings) -> int:
    """Kafka's jars and the archive that makes its start quick; the exit code."""
    console = Console(highlight=False)
    try:
        java = find_java(settings.java_home)
        console.print(f"Java {java.version}: {java.launcher}", soft_wrap=True)
        _fetch(settings, console)
        _train(settings, console)
    except EXPECTED as failure:
        return tell(failure, console, settings.cache_dir)
    return 0


def _fetch(settings: LocalSettings, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Apache Kafka", total=None)
        jars = broker_jars(
            settings.kafka_home,
            settings.cache_dir,
            lambda done, count: progress.update(task, completed=done, total=count),
        )
        progress.update(task, completed=len(jars), total=len(jars))


def _train(settings: LocalSettings, console: Console) -> None:
    began = time.monotonic()
    console.print("Preparing Kafka for quick starts …")
    archive = train_archive(settings)
    outcome = "done" if archive else "not possible with this Java; starts take a second or two longer"
    console.print(f"  {outcome} ({time.monotonic() - began:.0f} s)")
