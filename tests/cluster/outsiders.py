"""What the chart expects outside of the cluster: Kafka, a registry, ClickHouse and a bucket, on the pods' bridge."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx

from deploy.local.broker.broker import Broker, find_runtime
from deploy.local.clickhouse.process import clickhouse_server
from deploy.local.ports import free_ports
from deploy.local.registry.process import registry_server
from deploy.local.settings import LocalSettings
from deploy.local.unit import Program, Unit
from tests.cluster.network import HOST, show

BUCKET = "recordings"
KEY_ID, KEY = "cluster", "cluster-bucket-secret"
PARTITIONS = 8
_READY_S = 120.0


class BridgedBroker(Broker):
    """The local stack's broker with one more listener, for pods."""

    def __init__(self, folder: Path) -> None:
        super().__init__(find_runtime(LocalSettings()), folder)
        (self._pods,) = free_ports(1)

    @property
    def from_pods(self) -> str:
        """host:port; good for this machine too."""
        return f"{HOST}:{self._pods}"

    def prepare(self) -> None:
        super().prepare()
        clients = f"PLAINTEXT://{self.bootstrap},PODS://{self.from_pods}"
        settings = {
            "listeners": f"{clients},CONTROLLER://127.0.0.1:{self._listeners.controller}",
            "advertised.listeners": clients,
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PODS:PLAINTEXT",
        }
        with self._properties.open("a") as file:  # the last of two equal names counts
            file.writelines(f"{name}={value}\n" for name, value in settings.items())


class Outsiders:
    """Use it with `with`; addresses are for pods and for this machine alike."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self.kafka = BridgedBroker(folder / "kafka")
        self._registry = registry_server(folder / "registry", None, logs / "registry.log")
        self._clickhouse = clickhouse_server(folder / "clickhouse", None, logs / "clickhouse.log")
        self._bucket = _bucket(logs)
        self._closing = ExitStack()
        self.registry_url = self.clickhouse_url = self.bucket_url = ""

    def __enter__(self) -> Self:
        units: tuple[Unit, ...] = (self.kafka, self._registry, self._clickhouse, self._bucket)
        for unit in units:
            self._closing.callback(unit.stop)
            unit.launch()
        for unit in units:
            unit.wait_ready(_READY_S)
        self.registry_url = f"http://{show(self._registry.program.port)}"
        self.clickhouse_url = f"http://{show(self._clickhouse.program.port)}"
        self.bucket_url = f"http://{HOST}:{self._bucket.program.port}"
        httpx.put(f"{self.bucket_url}/{BUCKET}", trust_env=False).raise_for_status()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()


def _bucket(logs: Path) -> Unit:
    (port,) = free_ports(1)
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", HOST, "-p", str(port)]

    def unready() -> str:
        try:
            httpx.get(f"http://{HOST}:{port}/", timeout=2, trust_env=False)
        except httpx.TransportError as problem:
            return str(problem) or type(problem).__name__
        return ""

    return Unit(Program("bucket", command, port, logs / "bucket.log"), unready)
