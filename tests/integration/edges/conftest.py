"""Every service at once, on a broker of its own: what is written here would be in everybody else's way."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.records import Record as KafkaRecord
from connectors.rtms.simulator.rules import Credentials
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream
from deploy.local.ports import free_ports
from deploy.local.server import Server
from schemas import topics
from schemas.codec import Undecodable
from schemas.records import DeadLetter, Record
from schemas.topics import Topic
from tests.support.house import PATIENT
from tests.support.otlp import Otlp, collecting
from tests.support.processes import service
from tests.support.settings import kafka_settings
from tests.support.stack import kafka_environment, open_log, run_module

PARTITIONS = 1
"""So that everything bad stands before everything good, in the same partition."""

PATIENCE_S = 120.0

SERVICES = {
    "lifecycle": ("processors", "lifecycle"),
    "ingest": ("ingest",),
    "participants": ("processors", "participants"),
    "transcription": ("processors", "transcription"),
    "muxing": ("processors", "muxing"),
    "sink-clickhouse": ("sinks", "clickhouse"),
    "sink-objects": ("sinks", "objects"),
    "sink-webhooks": ("sinks", "webhooks"),
    "api": ("api",),
}


class Street:
    """All services as processes, and raw hands on every topic. Nothing that its API needs is away when it is asked."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        (port,) = free_ports(1)
        self.admin_token = uuid.uuid4().hex
        self.url = f"http://127.0.0.1:{port}/api/v1"
        self.env = env | {
            **PATIENT,
            "RTMS_OBJECTS_URL": (folder / "objects").as_uri(),
            "RTMS_OBJECTS_SIGNING_KEY": uuid.uuid4().hex,
            "RTMS_SINK_OBJECTS_SCRATCH_DIR": str(folder / "scratch"),
            "RTMS_SECRETS_KEYS": KeyRing.generate(),
            "RTMS_API_ADMIN_TOKEN": self.admin_token,
            "RTMS_API_PORT": str(port),
            "RTMS_ZOOM_ALLOWED_HOSTS": "127.0.0.1",
            "RTMS_ZOOM_ALLOW_PLAINTEXT": "true",
        }
        (folder / "objects").mkdir()
        self.kafka = kafka_settings(env)
        self.decoder = Decoder.from_settings(self.kafka)
        self.producer = create_producer(self.kafka, CONTROL)
        self._customer: httpx.Client | None = None
        self.services: dict[str, Server] = {
            name: service(["-m", *module], self.env, folder / f"{name}.log") for name, module in SERVICES.items()
        }

    def start(self, *names: str) -> None:
        for name in names:
            self.services[name].launch()
        for name in names:
            self.services[name].wait_ready()

    def write(self, topic: Topic, key: bytes, value: bytes | None) -> int:
        """The offset of a record as raw as it is."""
        return self.producer.send_blocking(topic, key, value, 0)

    def raw(self, topic: Topic) -> list[KafkaRecord]:
        loader = PartitionLoader(self.kafka)
        try:
            return list(loader.load([Place(topic.name, 0)], PATIENCE_S))
        finally:
            loader.close()

    def records(self, topic: Topic) -> list[Record]:
        """What can be read of the topic."""
        found = []
        for record in self.raw(topic):
            with contextlib.suppress(Undecodable):
                found.append(self.decoder.decode(topic, record.value or b""))
        return found

    def customer(self, credentials: Credentials) -> httpx.Client:
        """A project with a key and these credentials; one for all, because a client id is one project's."""
        if self._customer is None:
            http = httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False, verify=False)
            admin = {"Authorization": f"Token {self.admin_token}"}
            project = http.post("/projects", json={"name": "p"}, headers=admin).raise_for_status().json()["id"]
            key = http.post(f"/projects/{project}/api_keys", json={"name": "k"}, headers=admin).json()["key"]
            app = {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
            http.post(f"/projects/{project}/zoom_apps", json=app, headers=admin).raise_for_status()
            http.headers["Authorization"] = f"Token {key}"
            self._customer = http
        return self._customer

    def join(self, simulator: Simulator, stream: Stream) -> str:
        """Ask for a session as a customer does; gives its id. From a thread: the simulated Zoom needs the loop."""
        announced = {
            "meeting_uuid": stream.identity.meeting_uuid,
            "rtms_stream_id": stream.identity.stream_id,
            "server_urls": simulator.signalling_url(stream),
            "operator_id": "op",
        }
        made = self.customer(simulator.options.credentials).post("/app_sessions", json={"zoom_rtms": announced})
        return str(made.raise_for_status().json()["id"])

    def told(self, session: str, what: str = "") -> Any:
        """What the API says of a session."""
        assert self._customer is not None
        return self._customer.get(f"/app_sessions/{session}{what}").raise_for_status().json()

    def ended(self, session: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The session as the API tells it, once it is over. From a thread."""
        deadline = time.monotonic() + timeout_s
        while (told := self.told(session))["state"] != "ended":
            assert told["state"] != "fatal_error", told
            assert time.monotonic() < deadline, told
            time.sleep(0.2)
        return cast(dict[str, Any], told)

    def close(self) -> None:
        self.producer.close()
        if self._customer is not None:
            self._customer.close()

    async def letters(self) -> dict[tuple[str, int], DeadLetter]:
        """By topic and offset."""
        found = await asyncio.to_thread(self.records, topics.DEAD_LETTERS)
        return {(letter.topic, letter.offset): letter for letter in found if isinstance(letter, DeadLetter)}


@pytest.fixture(scope="module")
def otlp() -> Iterator[Otlp]:
    """Whoever collects the street's traces."""
    with collecting() as otlp:
        yield otlp


@pytest.fixture(scope="module")
def street(clickhouse: Server, otlp: Otlp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("edges")
    with ExitStack() as stack:
        env = kafka_environment(*stack.enter_context(open_log(folder))) | {
            "RTMS_KAFKA_PARTITIONS": str(PARTITIONS),
            "RTMS_CLICKHOUSE_URL": clickhouse.url,
            "RTMS_CLICKHOUSE_DATABASE": "edges",
            "RTMS_OTEL_ENDPOINT": otlp.url,
        }
        run_module("connectors.kafka", "topics", env=env)
        run_module("connectors.clickhouse", "tables", env=env)
        made = Street(env, folder)
        stack.callback(made.close)
        for server in made.services.values():
            stack.callback(server.stop)
        made.start(*SERVICES)
        yield made
