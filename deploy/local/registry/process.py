"""The schema registry as a child process."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.local.ports import free_ports
from deploy.local.server import Server
from deploy.local.unit import Program


def registry_server(folder: Path, port: int | None = None, log: Path | None = None) -> Server:
    """The registry with its file in `folder`, not yet started."""
    port = port or free_ports(1)[0]
    argv = [sys.executable, "-m", "deploy.local.registry", "--port", str(port), "--data-dir", str(folder)]
    return Server(Program("registry", argv, port, log or folder / "registry.log"), "/subjects")
