"""The ClickHouse engine as a child process: a server binary where the machine has one, else the engine in our own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.server import Server
from deploy.local.unit import Program


def clickhouse_server(folder: Path, port: int | None = None, log: Path | None = None) -> Server:
    """The engine with its data in `folder`, not yet started."""
    port = port or free_ports(1)[0]
    binary = shutil.which("clickhouse")
    argv = _binary(binary, folder, port) if binary else _embedded(folder, port)
    return Server(Program("clickhouse", argv, port, log or folder / "clickhouse.log"), "/ping")


def _embedded(folder: Path, port: int) -> list[str]:
    data = str(folder / "data")
    return [sys.executable, "-m", "deploy.local.clickhouse", "--port", str(port), "--path", data]


def _binary(binary: str, folder: Path, port: int) -> list[str]:
    settings = {"path": f"{folder / 'data'}/", "listen_host": LOOPBACK, "http_port": port, "tcp_port": ""}
    return [binary, "server", "--", *(f"--{name}={value}" for name, value in settings.items())]
