"""`make up`: the whole pipeline, staying up until Ctrl-C."""

from __future__ import annotations

import signal
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.local.broker.jars import JarsUnavailable
from deploy.local.broker.java import NoJava
from deploy.local.console import ConsoleReport
from deploy.local.settings import LocalSettings
from deploy.local.signals import Interrupted, interruptible
from deploy.local.stack import Stack
from deploy.local.unit import UnitFailed

_LOG_LINES = 20


def up(settings: LocalSettings) -> int:
    """Start everything, print where it is, wait to be told to end; the exit code."""
    console = Console(highlight=False)
    stack = Stack(settings, ConsoleReport(console))
    with interruptible(stack.kill):
        try:
            with stack:
                stack.start()
                _introduce(console, stack)
                while True:
                    signal.pause()
        except Interrupted:
            console.print("Everything has ended; the data stay in", str(settings.run_dir))
            return 0
        except (UnitFailed, NoJava, JarsUnavailable) as failure:
            console.print(Text(str(failure), style="red"))
            _quote(console, getattr(failure, "log", None))
            return 1


def _introduce(console: Console, stack: Stack) -> None:
    addresses = stack.addresses
    assert addresses is not None
    lines = {
        "API": addresses.api_url,
        "Kafka": addresses.kafka,
        "Schema registry": addresses.registry_url,
        "ClickHouse": addresses.clickhouse_url,
        "Objects": str(addresses.objects),
        "Logs": str(stack.logs),
    }
    console.print()
    for name, value in lines.items():
        console.print(f"  {name:<16} {value}", soft_wrap=True)
    console.print("\nCtrl-C ends everything.", style="dim")


def _quote(console: Console, log: Path | None) -> None:
    """The last lines of what the failed process said itself."""
    if log is not None and log.exists():
        for line in log.read_text(errors="replace").splitlines()[-_LOG_LINES:]:
            console.print(Text(f"    {line}", style="dim"), soft_wrap=True)
