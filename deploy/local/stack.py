"""The whole pipeline on one machine: broker, registry, engine and every service, started, kept up and ended.

A library: `make up` and the demo differ only in what they do while the stack runs.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from deploy.local.broker.broker import Broker, find_runtime
from deploy.local.clickhouse.process import clickhouse_server
from deploy.local.credentials import Credentials, load_or_create
from deploy.local.ports import LOOPBACK, free_ports, preferred_or_free
from deploy.local.process import Process
from deploy.local.registry.process import registry_server
from deploy.local.report import Event, Report, Silence
from deploy.local.server import Server
from deploy.local.services import COMPOSING, SERVICES, Addresses, Service, service_server, shared_environment
from deploy.local.settings import LocalSettings
from deploy.local.supervisor import Supervisor
from deploy.local.unit import Unit, UnitFailed, child_environment

_READY_S = 120.0
_JOB_S = 90.0
_LOG, _STORES, _SERVICES = range(3)


class Stack:
    """One stack on one run folder, which keeps its data from run to run. Use it with `with`: leaving ends it."""

    def __init__(
        self, settings: LocalSettings, report: Report | None = None, services: Sequence[Service] = SERVICES
    ) -> None:
        self._services = (*services, COMPOSING) if settings.composing else services
        self._run_dir = settings.run_dir.absolute()
        self._settings = settings
        self._report = report or Silence()
        self._supervisor = Supervisor(self._report)
        self._jobs: list[Process] = []
        self._lock: IO[str] | None = None
        self.addresses: Addresses | None = None
        self.credentials: Credentials | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The settings of our processes, for whatever else is to talk to this stack; known once it was started."""
        assert self.addresses is not None
        assert self.credentials is not None
        shared = shared_environment(self.addresses, self.credentials, self._settings.partitions)
        return shared | {"RTMS_API_COMPOSED_VIEWS": str(self._settings.composing).lower()}

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self._run_dir / "logs"

    def unit(self, name: str) -> Unit:
        """A running process by its name."""
        return self._supervisor.unit(name)

    def units(self) -> list[Unit]:
        """Every process of the stack."""
        return self._supervisor.units()

    def start(self) -> Addresses:
        """Return when everything is ready; raises UnitFailed (after which `stop` ends what did start)."""
        self._claim_folder()
        self._keep_old_logs()
        self.credentials = load_or_create(self._run_dir)
        broker, registry, clickhouse = self._infrastructure()
        api_port = preferred_or_free(self._settings.api_port)
        objects = self._run_dir / "objects"
        objects.mkdir(exist_ok=True)
        self.addresses = Addresses(
            broker.bootstrap, registry.url, clickhouse.url, f"http://{LOOPBACK}:{api_port}", objects
        )
        self._side_by_side([partial(self._bring_up_log, broker, registry), partial(self._bring_up_store, clickhouse)])
        ports = free_ports(len(self._services))
        services = [
            service_server(*pair, self.environment, self.logs) for pair in zip(self._services, ports, strict=True)
        ]
        self._side_by_side([partial(self._bring_up, service, _SERVICES) for service in services])
        self._supervisor.tend()
        return self.addresses

    def check(self, wait_s: float | None = 0.0) -> None:
        """Return after this time (None: never) while the broker can be kept up; raises UnitFailed."""
        self._supervisor.check(wait_s)

    def stop(self) -> None:
        """End every process, services first; harmless when nothing runs."""
        self._supervisor.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """End every process now."""
        self._supervisor.kill()
        for job in self._jobs:
            job.kill()

    def _infrastructure(self) -> tuple[Broker, Server, Server]:
        settings = self._settings
        return (
            Broker(find_runtime(settings), self._run_dir / "kafka", preferred_or_free(settings.kafka_port)),
            registry_server(
                self._run_dir / "registry", preferred_or_free(settings.registry_port), self.logs / "registry.log"
            ),
            clickhouse_server(
                self._run_dir / "clickhouse", preferred_or_free(settings.clickhouse_port), self.logs / "clickhouse.log"
            ),
        )

    def _bring_up_log(self, broker: Unit, registry: Unit) -> None:
        self._supervisor.launch(broker, _LOG, vital=True)
        self._bring_up(registry, _STORES)
        self._supervisor.await_ready(broker, _READY_S)
        self._run_job("topics", "connectors.kafka", "topics")

    def _bring_up_store(self, clickhouse: Unit) -> None:
        self._bring_up(clickhouse, _STORES)
        self._run_job("tables", "connectors.clickhouse", "tables")

    def _bring_up(self, unit: Unit, layer: int) -> None:
        self._supervisor.launch(unit, layer)
        self._supervisor.await_ready(unit, _READY_S)

    def _run_job(self, name: str, *module: str) -> None:
        began = time.monotonic()
        self._report.tell(Event.STARTING, name)
        log = self.logs / f"{name}.log"
        job = Process([sys.executable, "-m", *module], log, child_environment(self.environment))
        self._jobs.append(job)
        try:
            code = job.wait(_JOB_S)
        except subprocess.TimeoutExpired:
            code = job.kill()
        if code != 0:
            self._report.tell(Event.FAILED, name, f"exit code {code}")
            raise UnitFailed(f"{name} failed with exit code {code}", log)
        self._report.tell(Event.READY, name, f"{time.monotonic() - began:.1f} s")

    def _side_by_side(self, steps: list[Callable[[], None]]) -> None:
        """Run all steps at once; the first failure ends what is under way, so that nobody waits for the others."""
        with ThreadPoolExecutor(max(1, len(steps))) as pool:
            try:
                for done in as_completed([pool.submit(step) for step in steps]):
                    done.result()
            except BaseException:
                self.kill()
                raise

    def _claim_folder(self) -> None:
        """Two stacks on one folder would destroy its data."""
        try:
            self._run_dir.mkdir(parents=True, exist_ok=True)
            lock = (self._run_dir / "lock").open("w")
        except OSError as refused:
            raise UnitFailed(f"{self._run_dir} cannot be used: {refused.strerror}; name another folder") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise UnitFailed(f"another stack is running on {self._run_dir}: end it first") from None
        self._lock = lock

    def _keep_old_logs(self) -> None:
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))
