"""Every service at once, a bucket that can be made to refuse, and what the API and the log say of a session's end."""

import asyncio
import os
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.rtms.protocol.codes import StopReason
from connectors.rtms.simulator.rules import Credentials
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream
from deploy.local.ports import free_ports
from deploy.local.server import Server
from deploy.local.settings import REPOSITORY
from schemas import topics
from schemas.codec import Undecodable
from schemas.sessions import TERMINAL
from tests.integration.edges.conftest import PARTITIONS, SERVICES, Street
from tests.support.patient_zoom import PatientZoom
from tests.support.processes import service
from tests.support.s3_server import s3_server
from tests.support.stack import Log, kafka_environment, open_log, run_module

BUCKET = "recordings"
CUSTOMERS = "customers-own"
"""Another bucket of the same server."""

PATIENCE_S = 120.0

LONG_S = 115
"""A meeting that is ended by us, so that it is not over before its worker is there; as long as others, whose film is
there."""

HEARD_MS = 14_000
"""From the beginning of a meeting: enough for some of everything."""

GOES_ON_MS = 4_000
"""For so long it goes on at the least when its worker is there: what was to be seen before is gone."""


HINDRANCE = """
import itertools, os, pathlib, signal, sys

met = pathlib.Path({met!r})
if met.is_dir() and "processors.transcription.worker" in sys.orig_argv:
    for number in itertools.count():
        try:
            (met / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGSTOP if number % 2 else signal.SIGKILL)
"""
"""What every Python process of the town runs before anything else (`sitecustomize`). While the folder is there,
recognisers die or are frozen, by turns, before they have loaded their model; it has a file for each."""


class Bucket:
    """An S3 server on one port: moto, which takes what it is given, or one that answers everything with an error."""

    def __init__(self, folder: Path) -> None:
        (self._port,) = free_ports(1)
        self._log = folder / "s3.log"
        self.url = f"http://127.0.0.1:{self._port}"
        self.refused: Counter[int] = Counter()

    @contextmanager
    def open(self) -> Iterator[None]:
        with s3_server(self._port, self._log, BUCKET, CUSTOMERS):
            yield

    @contextmanager
    def refusing(self, status: int, code: str) -> Iterator[None]:
        server = ThreadingHTTPServer(("127.0.0.1", self._port), _refusal(status, code, self.refused))
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _refusal(status: int, code: str, refused: Counter[int]) -> type[BaseHTTPRequestHandler]:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            refused[status] += 1
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler


class Town(Street):
    """The street with a bucket, a project and its sessions."""

    def __init__(self, env: dict[str, str], folder: Path, bucket: Bucket) -> None:
        super().__init__(env, folder)
        self.bucket, self.folder, self.moto = bucket, folder, ExitStack()
        self.env |= {
            "RTMS_OBJECTS_URL": f"s3://{BUCKET}/test",
            "RTMS_OBJECTS_ENDPOINT": bucket.url,
            "RTMS_OBJECTS_ACCESS_KEY_ID": "key",
            "RTMS_OBJECTS_SECRET_ACCESS_KEY": "secret",
            "RTMS_OBJECTS_RETRY_S": "1",
            "RTMS_SINK_OBJECTS_LONGEST_RETRY_S": "1",
            "RTMS_SINK_OBJECTS_COPY_RETRY_S": "0.2",
            "RTMS_WEBHOOKS_ALLOW_LOOPBACK": "true",
            "RTMS_API_COMPOSED_VIEWS": "true",
            "RTMS_TRANSCRIPTION_RETRY_BUDGET_S": "2",
            "RTMS_TRANSCRIPTION_ATTEMPT_LIMIT_S": "1",
            "RTMS_TRANSCRIPTION_SILENCE_LIMIT_S": "1",
            "RTMS_TRANSCRIPTION_OPENAI_BASE_URL": f"http://127.0.0.1:{free_ports(1)[0]}/v1",  # at which nobody is
            "RTMS_TRANSCRIPTION_OPENAI_API_KEY": "sk-nobodys",
            "PYTHONPATH": f"{folder / 'hindrance'}{os.pathsep}{REPOSITORY}",
        }
        self._met = folder / "met"
        (folder / "hindrance").mkdir()
        (folder / "hindrance" / "sitecustomize.py").write_text(HINDRANCE.format(met=str(self._met)))
        self.services = {
            name: service(["-m", *module], self.env, folder / f"{name}.log") for name, module in SERVICES.items()
        }
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False, verify=False)

    def open_bucket(self) -> None:
        """Have a bucket that takes what it is given, until `moto` is closed."""
        self.moto.enter_context(self.bucket.open())

    def settle_in(self) -> None:
        """Make the project with a key and a Zoom app."""
        admin = {"Authorization": f"Token {self.admin_token}"}
        project = self.http.post("/projects", json={"name": "p"}, headers=admin).raise_for_status().json()["id"]
        self.project_id = str(project)
        key = self.http.post(f"/projects/{project}/api_keys", json={"name": "k"}, headers=admin).json()["key"]
        app = {"client_id": Credentials().client_id, "client_secret": Credentials().client_secret}
        self.http.post(f"/projects/{project}/zoom_apps", json=app, headers=admin).raise_for_status()
        self.http.headers["Authorization"] = f"Token {key}"

    def let_copy_to(self, endpoint: str) -> None:
        """The project's customer has a storage of their own there."""
        given = {"access_key_id": "AKIA1", "access_key_secret": "s3cret", "endpoint_url": endpoint}
        path = f"/projects/{self.project_id}/credentials/external_media_storage"
        admin = {"Authorization": f"Token {self.admin_token}"}
        self.http.put(path, json=given, headers=admin).raise_for_status()

    def hire(self, name: str, *module: str) -> None:
        """Have a service that is not everybody's; it is not started yet."""
        self.services[name] = service(["-m", *module], self.env, self.folder / f"{name}.log")

    @contextmanager
    def no_recogniser(self) -> Iterator[Path]:
        """Those that are begun come to nothing; a folder with a file for each."""
        self._met.mkdir()
        try:
            yield self._met
        finally:
            shutil.rmtree(self._met)

    def kill(self, *names: str) -> None:
        for name in names:
            self.services[name].kill()

    def replace(self, name: str, **env: str) -> None:
        """Stop a service and start one with other settings in its place."""
        self.services[name].stop()
        self.services[name] = service(["-m", *SERVICES[name]], self.env | env, self.folder / f"{name}-again.log")
        self.start(name)

    async def announce(self, simulator: Simulator, stream: Stream, **fields: object) -> str:
        """Ask for a session on a simulated stream; its id."""
        return await self.request(stream.identity.stream_id, simulator.signalling_url(stream),
                                  meeting_uuid=stream.identity.meeting_uuid, **fields)  # fmt: skip

    async def request(self, stream_id: str, url: str, meeting_uuid: str = "m", **fields: object) -> str:
        announced = {"meeting_uuid": meeting_uuid, "rtms_stream_id": stream_id, "server_urls": url}
        return await self.ask(announced, **fields)

    async def ask(self, payload: dict[str, Any], **fields: object) -> str:
        """Ask for the session that Zoom announces so; its id."""
        made = await asyncio.to_thread(self.http.post, "/app_sessions", json={"zoom_rtms": payload} | fields)
        return str(made.raise_for_status().json()["id"])

    async def session(self, session_id: str) -> dict[str, Any]:
        answer = await asyncio.to_thread(self.http.get, f"/app_sessions/{session_id}")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def of_session(self, session_id: str, what: str) -> list[dict[str, Any]]:
        """Its transcript, or the first page of its participants and the like."""
        answer = await asyncio.to_thread(self.http.get, f"/app_sessions/{session_id}/{what}")
        found: Any = answer.raise_for_status().json()
        return list(found if what == "transcript" else found["results"])

    async def until(self, session_id: str, state: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The session once it is in this state; one that has ended in another way never will be."""

        async def there() -> dict[str, Any] | None:
            found = await self.session(session_id)
            assert found["state"] == state or found["state"] not in TERMINAL, found
            return found if found["state"] == state else None

        return await until(there, f"{session_id} {state}", timeout_s)

    async def holds(self, topic: topics.Topic, session_id: str, is_it: Callable[[Any], bool]) -> None:
        """Return when the topic holds such a record of the session."""

        async def found() -> bool:
            return any(map(is_it, await asyncio.to_thread(self.of, topic, session_id)))

        await until(found, f"{session_id} on {topic.name}")

    def ends(self, session_id: str) -> list[str]:
        """The terminal states that clients were told of."""
        own = self.of(topics.SESSION_CHANGES, session_id)
        assert [change.sequence for change in own] == list(range(len(own)))
        return [change.change.new_state for change in own if change.change.new_state in TERMINAL]

    def of(self, topic: topics.Topic, session_id: str = "") -> list[Any]:
        """What the topic holds of the session (or of all), in order, but for what nobody can read."""
        loader = PartitionLoader(self.kafka)
        try:
            loaded = list(loader.load([Place(topic.name, 0)], PATIENCE_S))
        finally:
            loader.close()
        found = []
        for record in loaded:
            if record.value and session_id in ("", (record.key or b"").decode().split("|")[0]):
                with suppress(Undecodable):
                    found.append(self.decoder.decode(topic, record.value))
        return found


def wait(condition: Callable[[], object], failure: str, timeout_s: float = PATIENCE_S) -> None:
    """For threads."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.05)


async def until(found: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
    """What a coroutine function finds at last, while the loop (and the simulated Zoom in it) goes on."""
    deadline = time.monotonic() + timeout_s
    while not (result := await found()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        await asyncio.sleep(0.1)
    return result


async def over(*streams: Stream) -> None:
    """Zoom ends these meetings, of which enough was heard and seen."""
    for stream in streams:
        await _sent(stream, 0)
    from_ms = max(stream.clock.now_ms() for stream in streams) + GOES_ON_MS
    for stream in streams:
        await _sent(stream, max(from_ms, stream.meeting.start_ms + HEARD_MS))
    for stream in streams:
        stream.stop(StopReason.MEETING_ENDED)


async def _sent(stream: Stream, at_ms: int) -> None:
    """Wait until Zoom has sent the sound of that time."""
    deadline = time.monotonic() + PATIENCE_S
    while stream.audio_sent[0] <= at_ms:
        assert time.monotonic() < deadline, "Zoom sends nothing"
        await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    with open_log(tmp_path_factory.mktemp("log")) as log:
        yield log


@pytest.fixture(scope="module")
def town(log: Log, clickhouse: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("endings")
    env = kafka_environment(*log) | {
        "RTMS_KAFKA_PARTITIONS": str(PARTITIONS),
        "RTMS_CLICKHOUSE_URL": clickhouse.url,
        "RTMS_CLICKHOUSE_DATABASE": "endings",
    }
    run_module("connectors.kafka", "topics", env=env)
    run_module("connectors.clickhouse", "tables", env=env)
    made = Town(env, folder, Bucket(folder))
    with ExitStack() as stack:
        stack.callback(made.http.close)
        stack.callback(made.moto.close)
        stack.callback(made.producer.close)
        stack.callback(lambda: [server.stop() for server in made.services.values()])
        made.open_bucket()
        made.start(*SERVICES)
        made.settle_in()
        yield made


@pytest.fixture
async def zoom() -> AsyncIterator[Simulator]:
    """A simulated Zoom, twice as fast as the real one; its first meeting waits for the worker."""
    async with PatientZoom(speed=2.0) as simulator:
        yield simulator
