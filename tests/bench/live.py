"""What a customer waits for: an answer, a connection, a line that was just said; beside a thousand live sessions.

The sessions live as facts, and everybody who follows states knows them; nothing of them is said but what is measured.
Lines are written as a processor writes them, and heard as customers hear them: by server-sent events and by webhook.
"""

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from connectors.rtms.protocol.signature import webhook_signature
from deploy.local.clickhouse.process import clickhouse_server
from schemas import topics
from schemas.ids import partition_of
from schemas.keys import item_key
from schemas.records import FactKind, OutputKind, SessionFact, StreamRequest, Utterance
from schemas.settings import Engine
from tests.bench import crowd
from tests.bench.broker import kafka_in
from tests.bench.control import Caller
from tests.bench.processor_runs import new_sessions
from tests.bench.quantiles import quantile
from tests.bench.rows import Row
from tests.support.house import ADMIN_TOKEN, House, Tenant, open_house
from tests.support.processes import service, wait_for
from tests.support.receiver import Receiver, Told, receiving

LIVE = 1000
HEARD = 20
"""Of them those that are listened to, each by an own reader of its feed and by a receiver."""

LINES = 25
"""Said in each of them."""

PAUSE_S = 0.02
STARTS = 50
CREATES = 200
SECRET = "zoom-secret-token"
PATIENCE_S = 60.0

Say = Callable[[str], None]


def measure(rounds: int, say: Say) -> list[Row]:
    """Once each, whatever `rounds` says beyond the first: p99 of many is what counts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rtms-bench-")))
        env = stack.enter_context(kafka_in(folder)) | {"RTMS_WEBHOOKS_ALLOW_LOOPBACK": "true"}
        clickhouse = clickhouse_server(folder / "clickhouse")
        stack.callback(clickhouse.stop)
        clickhouse.start()
        house = stack.enter_context(open_house(env, clickhouse.url, folder / "house"))
        both = [delays for _ in range(rounds) for delays in _starts(house, folder)]
        answers, starts = [answered for answered, _ in both], [knocked for _, knocked in both]
        say(f"webhook to handshake p50 {quantile(starts, 0.5) * 1000:.1f} ms, {len(starts)} streams")
        tenant, receiver = house.tenant(), stack.enter_context(receiving())
        hook = {"url": receiver.url, "triggers": ["transcript.update"]}
        tenant.http.post("/webhooks", json=hook).raise_for_status()
        webhooks = service(["-m", "sinks", "webhooks"], house.env, folder / "webhooks.log")
        stack.callback(webhooks.stop)
        webhooks.start()
        live = _live(house, tenant)
        say(f"{len(live)} sessions are live")
        creates = [delay for _ in range(rounds) for delay in _creates(house, tenant)]
        read, told = _lines(house, tenant, receiver, live[:HEARD], rounds)
        crowded = crowd.read(house, tenant, live[HEARD:], _saying(house, "crowd"))
        say(f"{crowd.READERS} readers heard {len(crowded)} lines, p50 {quantile(crowded, 0.5) * 1000:.1f} ms")
        beside_dead, tried = crowd.told_beside_a_dead_one(tenant, receiver, live, _saying(house, "dead"))
        say(f"{len(beside_dead)} lines told beside a receiver that was tried {tried} times and never answered")
        heard = [f"{quantile(delays, 0.5) * 1000:.1f} ms" for delays in (read, told)]
        say(f"a line to its reader p50 {heard[0]}, to a receiver {heard[1]}")
    beside = f"beside {LIVE} live sessions"
    return [
        *_rows(f"create to `connecting`, {beside}", creates, 0.1),
        *_rows("Zoom's webhook to its answer", answers, 0.1),
        *_rows("Zoom's webhook to the first byte of a handshake", starts, 0.5),
        *_rows(f"transcript line to its reader, {beside}", read, 0.1),
        *_rows(f"transcript line to a webhook's receiver, {beside}", told, 1.0),
        *_rows(f"transcript line to each of {crowd.READERS} readers of one replica, {beside}", crowded, 0.25),
        *_rows(f"transcript line of {LIVE} sessions to a receiver beside a dead one", beside_dead, 1.0),
    ]


def _rows(name: str, seconds: Sequence[float], goal_s: float) -> list[Row]:
    note = f"{len(seconds)} of them"
    return [
        Row(name=f"{name}, p50", unit="ms", ours=quantile(seconds, 0.5) * 1000, note=note),
        Row(name=f"{name}, p99", unit="ms", ours=quantile(seconds, 0.99) * 1000, goal=goal_s * 1000, note=note),
    ]


def _starts(house: House, folder: Path) -> list[tuple[float, float]]:
    """From the moment Zoom posts its webhook to its answer, and to that in which a connector worker knocks at the
    stream's address."""
    tenant = house.tenant(zoom_app=False)
    given = {"client_id": uuid.uuid4().hex, "client_secret": "s", "webhook_secret": SECRET}
    path = f"/projects/{tenant.project_id}/zoom_apps"
    url = house.http(ADMIN_TOKEN).post(path, json=given).raise_for_status().json()["webhook_url"]
    with _knocking() as (port, knocks):
        local = {"RTMS_ZOOM_ALLOWED_HOSTS": "127.0.0.1", "RTMS_ZOOM_ALLOW_PLAINTEXT": "true"}
        worker = service(["-m", "ingest"], house.env | local, folder / f"ingest-{port}.log")
        worker.start()
        try:
            with house.another(**local) as (api, _), httpx.Client(trust_env=False, timeout=20) as zoom:
                address = url.replace(house.url, api.removesuffix("/api/v1"))
                return [_start(zoom, address, port, knocks) for _ in range(STARTS)]
        finally:
            worker.stop()


def _start(zoom: httpx.Client, url: str, port: int, knocks: dict[str, float]) -> tuple[float, float]:
    stream_id = uuid.uuid4().hex
    stream = {"meeting_uuid": "m", "rtms_stream_id": stream_id, "server_urls": f"ws://127.0.0.1:{port}/{stream_id}"}
    body = json.dumps({"event": "meeting.rtms_started", "event_ts": 1, "payload": stream}).encode()
    timestamp = str(int(time.time()))
    headers = {
        "x-zm-request-timestamp": timestamp,
        "x-zm-signature": webhook_signature(SECRET, timestamp, body),
        "content-type": "application/json",
    }
    began = time.monotonic()
    assert zoom.post(url, content=body, headers=headers).status_code == 200
    answered = time.monotonic()
    wait_for(lambda: stream_id in knocks, PATIENCE_S, lambda: f"nobody came for {stream_id}")
    return answered - began, knocks[stream_id] - began


@contextmanager
def _knocking() -> Iterator[tuple[int, dict[str, float]]]:
    """A port at which somebody is heard and never let in, and when each came by the path that was asked for."""
    knocks: dict[str, float] = {}
    held: list[socket.socket] = []

    def listen() -> None:
        while True:
            try:
                visitor, _ = server.accept()
            except OSError:
                return
            at_s = time.monotonic()
            held.append(visitor)
            asked = visitor.recv(4096).split(b" ")
            knocks.setdefault(asked[1].decode().strip("/") if len(asked) > 1 else "", at_s)

    with closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as server:
        threading.Thread(target=listen, name="knocks", daemon=True).start()
        yield server.getsockname()[1], knocks
        server.shutdown(socket.SHUT_RDWR)
    for visitor in held:
        visitor.close()


def _live(house: House, tenant: Tenant) -> list[str]:
    """Sessions that are connected, as far as anybody knows."""
    names = new_sessions(LIVE)
    epochs = {}
    for name in names:
        house.others.write(topics.SESSION_FACTS, name, _requested(name, tenant.project_id))
        epochs[name] = house.others.state(name, FactKind.CLAIMED, worker="w")
    for name in names:
        house.others.state(name, FactKind.CONNECTED, worker="w", epoch=epochs[name])
    last = f"/app_sessions/{names[-1]}"
    wait_for(lambda: tenant.http.get(last).json().get("state") == "connected", PATIENCE_S, lambda: "not all are live")
    return names


def _requested(session_id: str, project_id: str) -> SessionFact:
    request = StreamRequest(
        product="meeting", meeting_id="m", stream_id=session_id, server_urls=("wss://rtms.zoom.us",), zoom_app_id="z"
    )
    return SessionFact(session_id=session_id, kind=FactKind.REQUESTED, project_id=project_id, request=request)


def _creates(house: House, tenant: Tenant) -> list[float]:
    delays = []
    with closing(Caller(house.url, tenant.key)) as caller:
        for _ in range(CREATES):
            began = time.monotonic()
            caller.create()
            delays.append(time.monotonic() - began)
            time.sleep(PAUSE_S)
    return delays


def _lines(
    house: House, tenant: Tenant, receiver: Receiver, names: Sequence[str], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds from the moment a line is handed to Kafka: to its reader, and to the receiver; each counts once."""
    read: dict[str, float] = {}
    told: dict[str, float] = {}

    def on_told(one: Told) -> None:
        told.setdefault(one.data["segment_id"], time.monotonic())

    receiver.on_told = on_told
    said: dict[str, float] = {}
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(_reader(house, tenant, name, read))
        for number in range(LINES * rounds):
            for name in names:
                said[_say(house, name, str(number))] = time.monotonic()
                time.sleep(PAUSE_S / 4)
        wait_for(lambda: len(read) == len(told) == len(said), PATIENCE_S, lambda: f"{len(read)}, {len(told)} heard")
    return [read[item] - at_s for item, at_s in said.items()], [told[item] - at_s for item, at_s in said.items()]


def _saying(house: House, prefix: str) -> crowd.Say:
    """Lines that are none of the others."""
    return lambda session_id, number: _say(house, session_id, f"{prefix}_{number}")


def _say(house: House, session_id: str, number: str) -> str:
    item, others = f"utt_{session_id}_{number}", house.others
    line = Utterance(
        session_id=session_id, kind=OutputKind.ITEM, utterance_id=item, engine=Engine.ZOOM, revision=1,
        text="so that is what was said", participant_name="Ada", start_ms=int(time.time() * 1000), end_ms=0,
    )  # fmt: skip
    value = others.decoder.codec.encode(topics.TRANSCRIPTS, line)
    partition = partition_of(session_id, others.kafka.partitions)
    others.producer.send(topics.TRANSCRIPTS, item_key(session_id, item), value, partition)
    return item


@contextmanager
def _reader(house: House, tenant: Tenant, session_id: str, read: dict[str, float]) -> Iterator[None]:
    """Somebody who listens to a session's transcript and notes when each line came."""
    is_open = threading.Event()

    def listen() -> None:
        path = f"{house.url}/api/v1/app_sessions/{session_id}/transcript/stream"
        headers = {"Authorization": f"Token {tenant.key}"}
        try:
            with client.stream("GET", path, headers=headers) as answer:
                is_open.set()
                for line in answer.iter_lines():
                    if line.startswith("data:") and '"id":"utt_' in line:
                        read.setdefault(json.loads(line.removeprefix("data:"))["id"], time.monotonic())
        except (httpx.HTTPError, httpx.StreamError, RuntimeError):
            return  # closed by us

    client = httpx.Client(trust_env=False, timeout=PATIENCE_S)
    thread = threading.Thread(target=listen, name="reader", daemon=True)
    thread.start()
    assert is_open.wait(PATIENCE_S), "the feed does not open"
    try:
        yield
    finally:
        client.close()
