"""The real stack for tests: a broker, a registry and a ClickHouse engine for each test module that asks for them.

Topic names are fixed, so tests share them and keep apart by session ids of their own and consumer groups of their own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.broker.broker import Broker, find_runtime
from deploy.local.clickhouse.process import clickhouse_server
from deploy.local.registry.process import registry_server
from deploy.local.server import Server
from deploy.local.settings import REPOSITORY, LocalSettings
from deploy.local.unit import child_environment

TEST_PARTITIONS = 4


@contextmanager
def open_broker(folder: Path) -> Iterator[Broker]:
    """A running broker: `.bootstrap`, and `.stop()`, `.kill()`, `.start()` for fault tests; who stops it starts it."""
    broker = Broker(find_runtime(LocalSettings()), folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder / "data", ignore_errors=True)


@contextmanager
def open_server(server: Server) -> Iterator[Server]:
    """A server, running: `.url`, and `.stop()`, `.kill()`, `.start()`."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


def kafka_environment(broker: Broker, registry: Server) -> dict[str, str]:
    """Environment that points any of our processes at a broker and a registry."""
    return {
        "RTMS_KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap,
        "RTMS_KAFKA_REGISTRY_URL": registry.url,
        "RTMS_KAFKA_PARTITIONS": str(TEST_PARTITIONS),
    }


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker."""
    with open_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running schema registry."""
    with open_server(registry_server(tmp_path_factory.mktemp("registry"))) as server:
        yield server


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running ClickHouse engine."""
    folder = tmp_path_factory.mktemp("clickhouse")
    with open_server(clickhouse_server(folder)) as server:
        yield server
    shutil.rmtree(folder / "data", ignore_errors=True)


@pytest.fixture(scope="module")
def kafka_env(kafka: Broker, registry: Server) -> dict[str, str]:
    """Environment that points any of our processes at this session's broker and registry."""
    return kafka_environment(kafka, registry)


@pytest.fixture(scope="module")
def topics_ready(kafka_env: dict[str, str]) -> dict[str, str]:
    """All topics created and all schemas registered, by the command that users run; gives the environment on."""
    run_module("connectors.kafka", "topics", env=kafka_env)
    return kafka_env


def run_module(module: str, *arguments: str, env: dict[str, str], timeout_s: float = 180) -> str:
    """Run `python -m module` to its end and return what it printed; fails with its output."""
    answer = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=child_environment(env),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert answer.returncode == 0, f"python -m {module} failed:\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout
