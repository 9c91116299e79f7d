"""`make up`: the whole pipeline, staying up until Ctrl-C."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from deploy.local.console import ConsoleReport
from deploy.local.failures import EXPECTED, tell
from deploy.local.project import Project, Refused, check_zoom_app, simulated_project, zoom_project
from deploy.local.settings import LocalSettings
from deploy.local.signals import Interrupted, interruptible
from deploy.local.stack import Stack

_LOOK_S = 60.0
_NO_APP = "none: set ZOOM_CLIENT_ID, ZOOM_CLIENT_SECRET and ZOOM_WEBHOOK_SECRET"
_NEXT = """
Next, start a session with the payload of Zoom's meeting.rtms_started:
  curl {api}/api/v1/app_sessions -H 'Authorization: Token {key}' \\
       -H 'Content-Type: application/json' -d '{{"zoom_rtms": …}}'
Without a Zoom account, this plays a meeting and prints such a payload:
  .venv/bin/python -m connectors.rtms.simulator
"""


def up(settings: LocalSettings) -> int:
    """Start everything, print where it is, wait to be told to end; the exit code. Raises NotConfigured."""
    check_zoom_app(settings)
    console = Console(highlight=False)
    stack = Stack(settings, ConsoleReport(console))
    with interruptible(stack.kill):
        try:
            with stack:
                stack.start()
                _introduce(console, stack, settings)
                while True:
                    stack.check(_LOOK_S)
        except Interrupted:
            console.print("Everything has ended; the data stay in", str(settings.run_dir))
            return 0
        except EXPECTED as failure:
            return tell(failure, console, settings.run_dir)


def _introduce(console: Console, stack: Stack, settings: LocalSettings) -> None:
    addresses, credentials = stack.addresses, stack.credentials
    assert addresses is not None
    assert credentials is not None
    simulated = simulated_project(addresses.api_url, credentials.admin_token, settings)
    own, shown = _zoom_app(addresses.api_url, credentials.admin_token, settings)
    lines = {
        "API": f"{addresses.api_url}/api/v1, described at {addresses.api_url}/docs",
        "API key": f"{simulated.api_key} (project {simulated.project_id}, for the simulated Zoom)",
        "Your Zoom app": shown,
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


def _zoom_app(api_url: str, admin_token: str, settings: LocalSettings) -> tuple[Project | None, str]:
    """The project of the user's own app, and what to say of it. A refusal is no reason to take all the rest away."""
    try:
        own = zoom_project(api_url, admin_token, settings)
    except Refused as refused:
        return None, f"none: {refused}"
    return own, f"{own.api_key} (project {own.project_id}, for {settings.zoom_client_id})" if own else _NO_APP
