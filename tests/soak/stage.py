"""The whole pipeline but the connector worker, on a folder of its own, every process of it within reach."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx
from prometheus_client.parser import text_string_to_metric_families

from connectors.kafka.settings import KafkaSettings
from deploy.local.broker.broker import Broker, find_runtime
from deploy.local.clickhouse.process import clickhouse_server
from deploy.local.credentials import load_or_create
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.registry.process import registry_server
from deploy.local.server import Server
from deploy.local.services import COMPOSING, SERVICES, Addresses, Service, service_server, shared_environment
from deploy.local.settings import LocalSettings
from deploy.local.unit import Unit, UnitFailed
from processors.transcription.settings import TranscriptionSettings
from tests.soak.buckets import buckets
from tests.soak.faults import CLICKHOUSE, KAFKA, REGISTRY, VICTIMS
from tests.soak.keeper import Keeper
from tests.soak.storage import Storage
from tests.support.deepgram_live import counted
from tests.support.settings import kafka_settings
from tests.support.speech_service import DEEPGRAM_PATH, KEY, Asked, SpeechServer, speech_server
from tests.support.stack import run_module

PARTITIONS = 8
SESSION_TIMEOUT_S = 6
SLOW_S = 5.0
"""For so long the API waits for what is slow; a second, its default, is nobody's trouble on a busy machine."""
READY_S = 180.0
GRACE_S = 60.0
"""As in the chart."""
LOOK_S = 0.1
POLL_INTERVAL_S = 8
"""Between two polls before a group gives a member up: shorter than outages and freezes, so that it matters."""
HELD_MIB = 1
"""What the objects sink holds per partition before it pauses it: little, so that it has to."""
LEAD_BYTES = 256 * 1024
"""How far a processor lets one input lead the others before it pauses it: little, for the same reason."""


class Stage:
    """Use it with `with`: leaving ends everything. `stopping` ends all waiting before that.

    `room_mib` is how much the object folder holds, where it can be a file system of its own.
    """

    def __init__(self, folder: Path, room_mib: int = 512) -> None:
        self.folder = folder
        self._room_mib = room_mib
        self.logs = folder / "logs"
        self.keeper = Keeper()
        self._modules = {service.name: service.module for service in (*SERVICES, COMPOSING) if service.name in VICTIMS}
        self._members: dict[str, list[Server]] = {name: [] for name in VICTIMS}
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.stopping.set()
        self._closing.close()

    def kill(self) -> None:
        """End everything now, without asking."""
        self.stopping.set()
        self.keeper.stop()
        for unit in [*(m for members in self._members.values() for m in members), *self.outsiders.values()]:
            unit.kill()
        self.storage.close()

    @property
    def transcription(self) -> TranscriptionSettings:
        """As its processes have them."""
        prefix = str(TranscriptionSettings.model_config["env_prefix"])
        own = {name.removeprefix(prefix).lower(): value for name, value in self.environment.items() if prefix in name}
        return TranscriptionSettings(**own)  # type: ignore[arg-type]  # read from text, as they do

    @property
    def kafka(self) -> KafkaSettings:
        return kafka_settings(self.environment)

    def members(self, victim: str) -> list[Server]:
        """The processes of a service."""
        with self._lock:
            return list(self._members[victim])

    def unready(self) -> list[str]:
        """The names of what is not ready."""
        return [unit.name for unit in self.units() if not unit.is_ready()]

    def units(self) -> list[Unit]:
        """All there are, what is not ours first."""
        return [*self.outsiders.values(), *(member for victim in VICTIMS for member in self.members(victim))]

    def unit(self, name: str) -> Unit:
        """A service's first process, or something that is not ours."""
        return self.outsiders[name] if name in self.outsiders else self.members(name)[0]

    def counted(self, victim: str, metric: str) -> float:
        """What a service's first process counts, all labels together; 0 where it does not answer."""
        try:
            answer = httpx.get(f"{self.members(victim)[0].url}/metrics", timeout=2, trust_env=False, verify=False)
        except httpx.TransportError:
            return 0.0
        samples = (sample for family in text_string_to_metric_families(answer.text) for sample in family.samples)
        return sum(sample.value for sample in samples if sample.name == metric)

    # --- what can be done ---

    def kill_and_launch(self, unit: Unit) -> None:
        with self.keeper.in_hand(unit):
            unit.kill()
            unit.launch()

    def cut_power(self) -> None:
        """Everything is killed, and started again at once; all is ready then."""
        units = self.units()
        with ExitStack() as in_hand:
            for unit in units:
                in_hand.enter_context(self.keeper.in_hand(unit))
            for unit in units:
                unit.kill()
            for unit in units:
                unit.launch()
        for unit in units:
            self.wait_ready(unit)

    def restart(self, unit: Unit) -> int | None:
        """SIGTERM, wait for the end, start again; the exit code, None when it had to be killed, 0 of one that had to
        leave just then."""
        was_troubled = self.keeper.was_troubled(unit)  # by anything but what comes now
        with self.keeper.in_hand(unit):
            unit.ask_to_stop()
            code = _ended(unit, GRACE_S)
            if was_troubled and self.keeper.had_to_leave(unit):
                code = 0
            unit.kill()
            unit.launch()
        return code

    @contextmanager
    def frozen(self, unit: Unit) -> Iterator[None]:
        pid = unit.pid
        assert pid is not None
        with self.keeper.in_hand(unit):
            os.kill(pid, signal.SIGSTOP)
            try:
                yield
            finally:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def away(self, name: str) -> Iterator[None]:
        """Something that is not ours, killed, and started again at the end; it is ready then."""
        unit = self.outsiders[name]
        with self.keeper.in_hand(unit):
            unit.kill()
            try:
                yield
            finally:
                unit.start(READY_S)

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """No speech service answers."""
        self.speech.is_down = True
        try:
            yield
        finally:
            self.speech.is_down = False

    def scale(self, victim: str, count: int) -> None:
        """To `count` processes; those that remain are ready."""
        while len(self.members(victim)) < count:
            self._add(victim)
        while len(self.members(victim)) > count:
            self._remove(victim)
        for member in self.members(victim):
            self.wait_ready(member)

    def wait_ready(self, unit: Unit) -> None:
        """Return when it is; what ended meanwhile is started again by the keeper."""
        deadline = time.monotonic() + READY_S
        while not unit.is_ready():
            if self.stopping.is_set():
                return
            if time.monotonic() > deadline:
                raise UnitFailed(f"{unit.name} is not ready after {READY_S:.0f} s", unit.log)
            time.sleep(LOOK_S)

    # --- inside ---

    def _start(self) -> None:
        runtime = find_runtime(LocalSettings())
        broker = Broker(runtime, self.folder / "kafka")
        registry = registry_server(self.folder / "registry", None, self.logs / "registry.log")
        clickhouse = clickhouse_server(self.folder / "clickhouse", None, self.logs / "clickhouse.log")
        self.outsiders: dict[str, Unit] = {KAFKA: broker, REGISTRY: registry, CLICKHOUSE: clickhouse}
        self.storage = Storage(self.folder / "objects", self._room_mib)
        self._closing.callback(self.storage.close)
        (api_port,) = free_ports(1)
        self.url = f"http://{LOOPBACK}:{api_port}"
        self.speech = self._closing.enter_context(speech_server(SpeechServer(_heard, forgets=True)))
        self.buckets = self._closing.enter_context(buckets())
        addresses = Addresses(broker.bootstrap, registry.url, clickhouse.url, self.url, self.storage.path)
        self.credentials = load_or_create(self.folder)
        self.environment = shared_environment(addresses, self.credentials, PARTITIONS) | {
            "RTMS_PROCESSORS_SESSION_TIMEOUT_S": str(SESSION_TIMEOUT_S),
            "RTMS_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_S * 1000),
            "RTMS_KAFKA_MAX_POLL_INTERVAL_MS": str(POLL_INTERVAL_S * 1000),
            "RTMS_PROCESSORS_LEAD_BYTES": str(LEAD_BYTES),
            "RTMS_SINK_OBJECTS_HELD_MIB": str(HELD_MIB),
            "RTMS_SINK_OBJECTS_COPY_RETRY_S": "0.5",
            "RTMS_SINK_OBJECTS_LONGEST_COPY_RETRY_S": "2",
            "RTMS_API_COMPOSED_VIEWS": "true",
            "RTMS_API_FRESHNESS_TIMEOUT_S": str(SLOW_S),
            "RTMS_API_QUERY_PATIENCE_S": str(SLOW_S),
            "RTMS_TRANSCRIPTION_OPENAI_BASE_URL": f"{self.speech.url}/v1",
            "RTMS_TRANSCRIPTION_OPENAI_API_KEY": KEY,
            "RTMS_TRANSCRIPTION_DEEPGRAM_BASE_URL": self.speech.url,
            "RTMS_TRANSCRIPTION_DEEPGRAM_API_KEY": KEY,
        }
        for unit in self.outsiders.values():
            self._closing.callback(unit.stop)
            unit.launch()
        for unit in self.outsiders.values():
            unit.wait_ready(READY_S)
        run_module("connectors.kafka", "topics", env=self.environment)
        run_module("connectors.clickhouse", "tables", env=self.environment)
        self._closing.callback(self._stop_members)
        for victim in VICTIMS:
            self._add(victim)
        for victim in VICTIMS:
            self.members(victim)[0].wait_ready(READY_S)
        for name, unit in self.outsiders.items():
            self.keeper.keep(unit, name)
        self.keeper.start()
        self._closing.callback(self.keeper.close)

    def _add(self, victim: str) -> None:
        number = len(self.members(victim))
        name = f"{victim}-{number}"
        own = {
            # As a pod of a StatefulSet has them: who comes back quickly keeps its partitions.
            "RTMS_LIFECYCLE_INSTANCE_ID": name,
            "RTMS_PROCESSORS_INSTANCE_ID": name,
            "RTMS_SINK_OBJECTS_SCRATCH_DIR": str(self.folder / "scratch" / name),
        }
        (port,) = free_ports(1)
        server = service_server(Service(name, self._modules[victim]), port, self.environment | own, self.logs)
        with self._lock:
            server.launch()
            self._members[victim].append(server)
            self.keeper.keep(server, victim)

    def _remove(self, victim: str) -> None:
        with self._lock:
            server = self._members[victim].pop()
            self.keeper.release(server)
        server.stop(GRACE_S)

    def _stop_members(self) -> None:
        members = [member for victim in VICTIMS for member in self.members(victim)]
        for member in members:
            member.ask_to_stop()
        for member in members:
            member.stop(GRACE_S)


def _heard(asked: Asked) -> str:
    """What the speech services hear: Deepgram the same as live, others another word wherever one sample is another."""
    if urlsplit(asked.path).path == DEEPGRAM_PATH:
        return counted(asked.seconds)
    return f"heard {hashlib.sha256(asked.file).hexdigest()[:12]}"


def _ended(unit: Unit, timeout_s: float) -> int | None:
    deadline = time.monotonic() + timeout_s
    while (code := unit.exit_code()) is None and time.monotonic() < deadline:
        time.sleep(LOOK_S / 2)
    return code


def wait_until(condition: Callable[[], bool], timeout_s: float, stopping: threading.Event) -> bool:
    """Whether it came true in time; false also when everything is being stopped."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline or stopping.wait(LOOK_S):
            return False
    return True
