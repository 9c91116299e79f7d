"""A real Kafka broker as a child process: one KRaft node on loopback that can be stopped, killed and started again."""

from __future__ import annotations

import base64
import re
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.local.broker import probe
from deploy.local.broker.archive import archive_flags
from deploy.local.broker.jars import broker_jars
from deploy.local.broker.java import Java, find_java
from deploy.local.broker.properties import LOGGING, Listeners, broker_properties
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.settings import LocalSettings
from deploy.local.unit import Program, Unit, UnitFailed

# Serial collector and the quick compiler: half the start and a third of the memory, at rates one machine can make.
_LEAN = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
_FIRST_JAVA_THAT_WARNS = 23
# As `properties.LOGGING` lays lines out: time, level, class, message.
_ERROR = re.compile(r"^[-\d]+ [:,\d]+ (?:ERROR|FATAL) \S+ (.+)$", re.MULTILINE)


class Runtime(NamedTuple):
    """What a broker runs on: Java, the class path, the flags for a start-up archive (none is fine)."""

    java: Java
    jars: Sequence[Path]
    archive: Sequence[str]

    def command(self, *arguments: str) -> list[str]:
        """The argument list that runs a main class (with its own arguments) on this class path."""
        quiet = ("--sun-misc-unsafe-memory-access=allow",) if self.java.major >= _FIRST_JAVA_THAT_WARNS else ()
        class_path = ":".join(map(str, self.jars))
        return [str(self.java.launcher), *_LEAN, *quiet, *self.archive, "-cp", class_path, *arguments]


def find_runtime(settings: LocalSettings) -> Runtime:
    """Java and jars as the machine offers them; fetches the jars once. Raises NoJava or JarsUnavailable."""
    java = find_java(settings.java_home)
    jars = broker_jars(settings.kafka_home, settings.cache_dir)
    return Runtime(java, jars, archive_flags(java, jars, settings.cache_dir))


class Broker(Unit):
    """One node with its data in `folder`. The ports stay the same for as long as the object lives."""

    def __init__(self, runtime: Runtime, folder: Path, port: int | None = None) -> None:
        client, controller = free_ports(2)
        self._runtime = runtime
        self._folder = folder
        self._listeners = Listeners(port or client, controller)
        self._cluster_id = ""
        argv = self._command("kafka.Kafka", str(self._properties))
        super().__init__(Program("kafka", argv, self._listeners.client, folder / "console.log"), self._unready)

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"{LOOPBACK}:{self._listeners.client}"

    def explanation(self) -> str:
        """A full disk, or the last that the broker's own log says."""
        try:
            said = last_error(self.log.read_text(errors="replace"))
        except OSError:
            said = ""
        return super().explanation() or said

    @property
    def log(self) -> Path:
        """The broker's own log: warnings and errors only."""
        return self._folder / "broker.log"

    def launch(self) -> None:
        """Start without waiting. Formats the folder the first time."""
        if self.exit_code() is not None:
            self.prepare()
        super().launch()

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

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _unready(self) -> str:
        return "" if probe.answers(self._listeners.client, self._cluster_id) else "its cluster does not answer"

    def _command(self, *arguments: str) -> list[str]:
        logging = (f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}", f"-Dkafka.log.file={self.log}")
        return self._runtime.command(*logging, *arguments)

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        arguments = ("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", str(self._properties))
        answer = subprocess.run(self._command(*arguments), capture_output=True, text=True, timeout=120, check=False)
        if answer.returncode != 0:
            why = super().explanation() or f"{answer.stdout}{answer.stderr}"
            raise UnitFailed(f"could not format {self._folder}: {why}")


def last_error(log: str) -> str:
    """The message of the last error in a broker's log; empty when there is none. Pure."""
    found = _ERROR.findall(log)
    return str(found[-1]) if found else ""


def _cluster_id(identity: Path) -> str:
    for line in identity.read_text().splitlines():
        if line.startswith("cluster.id="):
            return line.removeprefix("cluster.id=")
    raise UnitFailed(f"{identity} names no cluster")
