"""The API with everything it needs to answer: lifecycle, the sinks of rows and of objects in a folder, as processes.

What a connector worker and the processors would do is stated by the test, through the same topics.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from api.settings import ApiSettings
from connectors.host.secrets import KeyRing
from deploy.local.ports import free_ports
from deploy.local.server import Server
from schemas.keys import objects_folder
from schemas.object_names import track_key
from schemas.records import FactKind, Stored, StoredTrack
from tests.support.processes import ANSWER_S, PATIENCE_S, service
from tests.support.stack import run_module
from tests.support.writer import Writer, writing

ADMIN_TOKEN = "admin-token-of-tests"
STREAM_URL = "wss://rtms-test.zoom.us:443"

_LIMITS = ("fold_timeout_s", "freshness_timeout_s", "append_timeout_s", "query_patience_s")
HURRIED = {f"RTMS_API_{name.upper()}": str(ApiSettings.model_fields[name].default) for name in _LIMITS}
"""Of a replica that is asked while something is away, and is to say so soon: as it comes."""

PATIENT = dict.fromkeys((*HURRIED, "RTMS_API_DELETION_PATIENCE_S"), str(PATIENCE_S / 2)) | {
    "RTMS_API_SEARCH_TIMEOUT_S": "10",
    "RTMS_API_SHUTDOWN_GRACE_S": "20",
}
"""Of an API that is asked while nothing is away: it waits for what is slow on a busy machine, instead of a 503."""


@dataclass(frozen=True)
class Tenant:
    """A project with a key and a Zoom app; `http` uses the key."""

    project_id: str
    key: str
    http: httpx.Client

    def create(self, stream_id: str | None = None, **fields: object) -> httpx.Response:
        return self.http.post("/app_sessions", json={"zoom_rtms": stream(stream_id)} | fields)

    def end(self, stream_id: str) -> httpx.Response:
        return self.http.post("/app_sessions/end", json={"zoom_rtms": {"rtms_stream_id": stream_id}})


@dataclass
class House:
    """Running processes and ways to talk to them; `others` does what the rest of the pipeline would do."""

    url: str
    env: dict[str, str]
    objects: Path
    lifecycle: Server
    sink: Server
    objects_sink: Server
    api: Server
    others: Writer
    clients: list[httpx.Client] = field(default_factory=list)

    def http(self, token: str | None) -> httpx.Client:
        headers = {"Authorization": f"Token {token}"} if token else {}
        # Without TLS: a client that might need it reads every certificate the machine trusts, some 30 ms for each.
        client = httpx.Client(
            base_url=f"{self.url}/api/v1", headers=headers, timeout=ANSWER_S, trust_env=False, verify=False
        )
        self.clients.append(client)
        return client

    def tenant(self, name: str = "tenant", zoom_app: bool = True) -> Tenant:
        admin = self.http(ADMIN_TOKEN)
        project = admin.post("/projects", json={"name": name}).raise_for_status().json()["id"]
        key = admin.post(f"/projects/{project}/api_keys", json={"name": "k"}).raise_for_status().json()["key"]
        if zoom_app:
            given = {"client_id": f"client-{uuid.uuid4().hex}", "client_secret": "s3cret"}
            admin.post(f"/projects/{project}/zoom_apps", json=given).raise_for_status()
        return Tenant(project, key, self.http(key))

    def revive(self) -> None:
        """Start what has ended, as a supervisor does, who looks again and again: a fenced transactional producer ends
        its process on purpose, and may notice late."""
        for process in (self.lifecycle, self.sink, self.objects_sink, self.api):
            if process.exit_code() is not None:
                process.start()

    @contextmanager
    def replica(self, **changed: str) -> Iterator[str]:
        """Another API beside the first; its address."""
        with self.another(**changed) as (url, _):
            yield url

    @contextmanager
    def another(self, **changed: str) -> Iterator[tuple[str, Server]]:
        """Another API beside the first; its address, and the process."""
        port = free_ports(1)[0]
        env = self.env | {"RTMS_API_PORT": str(port)} | changed
        process = service(["-m", "api"], env, self.api.log.with_name(f"api-{port}.log"))
        try:
            process.launch()
            process.wait_ready()
            yield f"http://127.0.0.1:{port}/api/v1", process
        finally:
            process.stop()

    def finish(self, session_id: str) -> None:
        """What all others do to a session until it has ended; nothing was said, nothing recorded."""
        epoch = self.others.connect(session_id)
        self.others.disconnect(session_id, epoch)
        for kind in (FactKind.RECORDING_FAILED, FactKind.TRANSCRIPT_STORED, FactKind.EVENTS_STORED):
            self.others.state(session_id, kind, reason="nothing recorded")

    def record(self, session_id: str, data: bytes, start_ms: int, tracks: Iterable[str] = ()) -> None:
        """What the objects sink does when the recording is whole."""
        key = f"{objects_folder(session_id)}/recording.mp4"
        path = self.objects / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        stored = Stored(key=key, size_bytes=len(data), start_ms=start_ms, duration_ms=1000)
        beside = tuple(self._track(session_id, track, start_ms) for track in tracks)
        self.others.state(session_id, FactKind.RECORDING_STORED, stored=stored, tracks=beside)

    def _track(self, session_id: str, track: str, start_ms: int) -> StoredTrack:
        key = track_key(session_id, track)
        path = self.objects / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(track.encode())
        return StoredTrack(track=track, key=key, size_bytes=len(track), start_ms=start_ms, duration_ms=1000, count=1)


def fetched(url: str | httpx.URL, method: str = "GET", **request: Any) -> httpx.Response:
    """What anybody is answered who has the address."""
    return httpx.request(method, url, timeout=ANSWER_S, trust_env=False, verify=False, **request)


def stream(stream_id: str | None = None) -> dict[str, str]:
    """The payload of Zoom's webhook."""
    return {
        "meeting_uuid": "m/AA+==",
        "rtms_stream_id": stream_id or uuid.uuid4().hex,
        "server_urls": STREAM_URL,
        "operator_id": "op",
    }


@contextmanager
def open_house(given: dict[str, str], clickhouse_url: str, folder: Path) -> Iterator[House]:
    """Everything started and ready; gone afterwards. `given` says where Kafka is, and whatever else a test wants."""
    port, objects = free_ports(1)[0], folder / "objects"
    objects.mkdir(parents=True)
    env = {
        "RTMS_CLICKHOUSE_URL": clickhouse_url,
        "RTMS_OBJECTS_URL": objects.as_uri(),
        "RTMS_OBJECTS_SIGNING_KEY": secrets.token_urlsafe(),
        "RTMS_SECRETS_KEYS": KeyRing.generate(),
        "RTMS_API_ADMIN_TOKEN": ADMIN_TOKEN,
        "RTMS_API_PORT": str(port),
        "RTMS_SINK_OBJECTS_SCRATCH_DIR": str(folder / "scratch"),
        "RTMS_LIFECYCLE_INSTANCE_ID": f"lifecycle-{uuid.uuid4().hex}",
    } | given
    run_module("connectors.clickhouse", "tables", env=env)
    lifecycle = service(["-m", "processors", "lifecycle"], env, folder / "lifecycle.log")
    sink = service(["-m", "sinks", "clickhouse"], env, folder / "sink.log")
    objects_sink = service(["-m", "sinks", "objects"], env, folder / "objects-sink.log")
    api = service(["-m", "api"], env, folder / "api.log")
    processes = (lifecycle, sink, objects_sink, api)
    with ExitStack() as stack:
        for process in processes:
            stack.callback(process.stop)
            process.launch()
        for process in processes:
            process.wait_ready()
        others = stack.enter_context(writing(given))
        house = House(f"http://127.0.0.1:{port}", env, objects, *processes, others)
        stack.callback(lambda: [client.close() for client in house.clients])
        yield house
