"""How a command ends that could not do its work: one sentence, what the failed process said last, one exit status."""

from __future__ import annotations

from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

from connectors.kafka.errors import KafkaError
from deploy.local.broker.jars import JarsUnavailable
from deploy.local.broker.java import NoJava
from deploy.local.disk import FULL, shortage
from deploy.local.project import Refused, said_in
from deploy.local.unit import UnitFailed

FAILED = 2
"""The exit status, whichever command it was."""

EXPECTED = (UnitFailed, NoJava, JarsUnavailable, Refused, KafkaError, httpx.HTTPError, OSError)
"""What a machine, its disk or its network can do to us. Anything else is a fault of ours and shows as one."""

_LOG_LINES = 20


def tell(failure: Exception, console: Console, folder: Path) -> int:
    """Say why it ended; `folder` is where the command keeps its files. The exit status."""
    said, log = sentence(failure), getattr(failure, "log", None)
    if full := shortage(folder):  # whatever a process had to say of itself, it could not write
        said, log = f"{said}: {full}" if FULL not in said else said, None
    console.print(Text(said, style="red"), soft_wrap=True)
    _quote(console, log)
    return FAILED


def sentence(failure: Exception) -> str:
    """The failure in words. Pure."""
    if isinstance(failure, httpx.RequestError):
        return f"no answer from {_bare(failure.request)}: {str(failure) or type(failure).__name__}"
    if isinstance(failure, httpx.HTTPStatusError):
        return f"{_bare(failure.request)} answered {failure.response.status_code}: {said_in(failure.response.text)}"
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename}: {failure.strerror}" if failure.filename else failure.strerror
    return str(failure)


def _bare(request: httpx.Request) -> httpx.URL:
    """Signed links carry their key in the query."""
    return request.url.copy_with(query=None)


def _quote(console: Console, log: Path | None) -> None:
    """The last lines of what the failed process said itself."""
    if log is not None and log.exists():
        for line in log.read_text(errors="replace").splitlines()[-_LOG_LINES:]:
            console.print(Text(f"    {line}", style="dim"), soft_wrap=True)
