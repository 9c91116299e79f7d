"""`make up`: the whole pipeline, staying up until Ctrl-C."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

from deploy.local.broker.jars import JarsUnavailable
from deploy.local.broker.java import NoJava
from deploy.local.console import ConsoleReport
from deploy.local.project import simulated_project, zoom_project
from deploy.local.settings import LocalSettings
from deploy.local.signals import Interrupted, interruptible
from deploy.local.stack import Stack
from deploy.local.unit import UnitFailed

_LOG_LINES = 20
_NO_APP = "none: set ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET and ZOOM_WEBHOOK_SECRET"
_NEXT = """
Next, start a session with the payload of Zoom's meeting.rtms_started:
  curl {api}/api/v1/app_sessions -H 'Authorization: Token {key}' \\
       -H 'Content-Type: application/json' -d '{{"zoom_rtms": …}}'
Without a Zoom account, this plays a meeting and prints such a payload:
  .venv/bin/python -m connectors.rtms.simulator
"""


def up(settings: LocalSettings) -> int:
    """Start everything, print where it is, wait to be told to end; the exit code."""
    console = Console(highlight=False)
    stack = Stack(settings, ConsoleReport(console))
    with interruptible(stack.kill):
        try:
            with stack:
                stack.start()
                _introduce(console, stack, settings)
                while True:
                    signal.pause()
        except Interrupted:
            console.print("Everything has ended; the data stay in", str(settings.run_dir))
            return 0
        except (UnitFailed, NoJava, JarsUnavailable, httpx.HTTPError) as failure:
            console.print(Text(str(failure), style="red"))
            _quote(console, getattr(failure, "log", None))
            return 1


def _introduce(console: Console, stack: Stack, settings: LocalSettings) -> None:
    addresses, credentials = stack.addresses, stack.credentials
    assert addresses is not None
    assert credentials is not None
    simulated = simulated_project(addresses.api_url, credentials.admin_token, settings)
    own = zoom_project(addresses.api_url, credentials.admin_token, settings)
    lines = {
        "API": f"{addresses.api_url}/api/v1, described at {addresses.api_url}/docs",
        "API key": f"{simulated.api_key} (project {simulated.project_id}, for the simulated Zoom)",
        "Your Zoom app": f"{own.api_key} (project {own.project_id}, for {settings.zoom_client_id})" if own else _NO_APP,
        "Admin token": f"in {settings.run_dir / 'credentials.json'}",
        "Kafka": addresses.kafka,
        "Schema registry": addresses.registry_url,
        "ClickHouse": addresses.clickhouse_url,
        "Objects": str(addresses.objects),
        "Logs": str(stack.logs),
    }
    console.print()
    for name, value in lines.items():
        console.print(Text(f"  {name:<16} {value}"), soft_wrap=True)
    console.print(Text(_NEXT.format(api=addresses.api_url, key=(own or simulated).api_key)), soft_wrap=True)
    console.print("Ctrl-C ends everything.", style="dim")


def _quote(console: Console, log: Path | None) -> None:
    """The last lines of what the failed process said itself."""
    if log is not None and log.exists():
        for line in log.read_text(errors="replace").splitlines()[-_LOG_LINES:]:
            console.print(Text(f"    {line}", style="dim"), soft_wrap=True)
