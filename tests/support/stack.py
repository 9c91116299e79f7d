"""The real stack for tests: a broker, a registry and a ClickHouse engine for each test module that asks for them.

Topic names are fixed, so tests share them and keep apart by session ids of their own and consumer groups of their own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.local.broker.broker import Broker
from deploy.local.clickhouse.process import clickhouse_server
from deploy.local.registry.process import registry_server
from deploy.local.server import Server
from deploy.local.settings import REPOSITORY
from deploy.local.unit import child_environment
from tests.support.made_before import made_before, put_cluster, put_formatted, runtime

TEST_PARTITIONS = 4


class Log(NamedTuple):
    """Where records are and what they mean."""

    broker: Broker
    registry: Server


@contextmanager
def open_broker(folder: Path) -> Iterator[Broker]:
    """A running broker: `.bootstrap`, and `.stop()`, `.kill()`, `.start()` for fault tests; who stops it starts it."""
    put_formatted(folder)
    with running_broker(Broker(runtime(), folder)) as broker:
        yield broker


@contextmanager
def open_log(folder: Path) -> Iterator[Log]:
    """A broker and a registry, running; nothing is on them."""
    with open_broker(folder / "kafka") as broker, open_server(registry_server(folder / "registry")) as registry:
        yield Log(broker, registry)


@contextmanager
def open_whole_log(folder: Path, broker: Broker | None = None) -> Iterator[Log]:
    """The same with all topics and schemas, as the command leaves them that users run."""
    made = made_before("log", _make_whole_log)
    put_cluster(made / "kafka", folder / "kafka")
    shutil.copytree(made / "registry", folder / "registry")
    registry = registry_server(folder / "registry")
    with running_broker(broker or Broker(runtime(), folder / "kafka")) as running, open_server(registry):
        yield Log(running, registry)


def _make_whole_log(folder: Path) -> None:
    broker, registry = Broker(runtime(), folder / "kafka"), registry_server(folder / "registry")
    with ExitStack() as stack:
        for each in (broker, registry):
            stack.callback(each.stop)
            each.start()
        run_module("connectors.kafka", "topics", env=kafka_environment(broker, registry))


@contextmanager
def running_broker(broker: Broker) -> Iterator[Broker]:
    """A broker, started; gone afterwards with its data."""
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(broker.log.parent / "data", ignore_errors=True)


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
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """A running broker and a registry with all topics."""
    with open_whole_log(tmp_path_factory.mktemp("log")) as log:
        yield log


@pytest.fixture(scope="module")
def kafka(log: Log) -> Broker:
    """A running broker."""
    return log.broker


@pytest.fixture(scope="module")
def registry(log: Log) -> Server:
    """A running schema registry."""
    return log.registry


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running ClickHouse engine."""
    folder = tmp_path_factory.mktemp("clickhouse")
    with open_server(clickhouse_server(folder)) as server:
        yield server
    shutil.rmtree(folder / "data", ignore_errors=True)


@pytest.fixture(scope="module")
def topics_ready(kafka: Broker, registry: Server) -> dict[str, str]:
    """Environment that points any of our processes at the module's broker and registry, where all topics are."""
    return kafka_environment(kafka, registry)


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
