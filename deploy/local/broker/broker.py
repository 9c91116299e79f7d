"""A real Kafka broker as a child process: one KRaft node on loopback that can be stopped, killed and started again."""

from __future__ import annotations

import base64
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.local.broker import probe
from deploy.local.broker.archive import archive_flags
from deploy.local.broker.jars import broker_jars
from deploy.local.broker.java import Java, find_java
from deploy.local.broker.properties import LOGGING, Listeners, broker_properties
from deploy.local.ports import free_ports, is_free
from deploy.local.process import Process
from deploy.local.settings import LocalSettings

# Serial collector and the quick compiler: half the start and a third of the memory, at rates one machine can make.
_LEAN = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
_STOP_GRACE_S = 30.0
_POLL_S = 0.05


class BrokerFailed(RuntimeError):
    """The broker ended or did not become ready; the message names its log."""


class Runtime(NamedTuple):
    """What a broker runs on: Java, the class path, the flags for a start-up archive (none is fine)."""

    java: Java
    jars: Sequence[Path]
    archive: Sequence[str]

    def command(self, *arguments: str) -> list[str]:
        """The argument list that runs a main class (with its own arguments) on this class path."""
        quiet = ("--sun-misc-unsafe-memory-access=allow",) if self.java.major >= 23 else ()
        class_path = ":".join(map(str, self.jars))
        return [str(self.java.launcher), *_LEAN, *quiet, *self.archive, "-cp", class_path, *arguments]


def find_runtime(settings: LocalSettings) -> Runtime:
    """Java and jars as the machine offers them; fetches the jars once. Raises NoJava or JarsUnavailable."""
    java = find_java(settings.java_home)
    jars = broker_jars(settings.kafka_home, settings.cache_dir)
    return Runtime(java, jars, archive_flags(java, jars, settings.cache_dir))


class Broker:
    """One node with its data in `folder`. The ports stay the same for as long as the object lives."""

    def __init__(self, runtime: Runtime, folder: Path, port: int | None = None) -> None:
        self._runtime = runtime
        self._folder = folder
        client, controller = free_ports(2)
        self._listeners = Listeners(port or client, controller)
        self._process: Process | None = None
        self._cluster_id = ""

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self._listeners.client}"

    @property
    def log(self) -> Path:
        """The broker's own log: warnings and errors only."""
        return self._folder / "broker.log"

    @property
    def pid(self) -> int | None:
        """Process id while one was started and not yet stopped."""
        return self._process.pid if self._process else None

    def exit_code(self) -> int | None:
        """None while the broker runs."""
        return self._process.exit_code() if self._process else 0

    def start(self, timeout_s: float = 90.0) -> None:
        """Start, or start again on the same data and ports, and return when clients are served."""
        self.launch()
        self.wait_ready(timeout_s)

    def launch(self) -> None:
        """Start without waiting. Formats the folder the first time."""
        if self._process is not None and self._process.exit_code() is None:
            raise BrokerFailed("the broker is already running")
        if not is_free(self._listeners.client):
            raise BrokerFailed(f"port {self._listeners.client} is taken by another process")
        self.prepare()
        self._process = Process(self._command("kafka.Kafka", str(self._properties)), self._folder / "console.log")

    def prepare(self) -> None:
        """Write the configuration and, the first time, format the data folder."""
        data = self._folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(broker_properties(data, self._listeners))
        (self._folder / "log4j2.properties").write_text(LOGGING)
        identity = data / "meta.properties"
        if not identity.exists():
            self._format()
        self._cluster_id = _cluster_id(identity)

    def wait_ready(self, timeout_s: float = 90.0) -> None:
        """Return when this very cluster answers on the port; raises BrokerFailed when it ends or is too slow."""
        deadline = time.monotonic() + timeout_s
        while not probe.answers(self._listeners.client, self._cluster_id):
            if self.exit_code() is not None:
                raise BrokerFailed(f"the broker ended with exit code {self.exit_code()}: see {self.log}")
            if time.monotonic() > deadline:
                raise BrokerFailed(f"the broker was not ready after {timeout_s:.0f} s: see {self.log}")
            time.sleep(_POLL_S)

    def stop(self, grace_s: float = _STOP_GRACE_S) -> None:
        """Clean stop: everything flushed, the next start is quick."""
        if self._process is not None:
            self._process.stop(grace_s)
            self._process = None

    def kill(self) -> None:
        """SIGKILL, as a power cut would; the data stays and `start` recovers it."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _command(self, *arguments: str) -> list[str]:
        logging = (f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}", f"-Dkafka.log.file={self.log}")
        return self._runtime.command(*logging, *arguments)

    def _format(self) -> None:
        name = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        arguments = ("kafka.tools.StorageTool", "format", "--standalone", "-t", name, "-c", str(self._properties))
        answer = subprocess.run(self._command(*arguments), capture_output=True, text=True, timeout=120, check=False)
        if answer.returncode != 0:
            raise BrokerFailed(f"could not format {self._folder}: {answer.stdout}{answer.stderr}")


def _cluster_id(identity: Path) -> str:
    for line in identity.read_text().splitlines():
        if line.startswith("cluster.id="):
            return line.removeprefix("cluster.id=")
    raise BrokerFailed(f"{identity} names no cluster")
