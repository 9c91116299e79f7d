"""Real workers and a real lifecycle, a simulated Zoom in the test's own loop, and what stands in the topics after."""

import asyncio
import hashlib
import threading
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.records import Record as KafkaRecord
from connectors.kafka.view import TopicView
from connectors.rtms.simulator.rules import Credentials, Rules
from connectors.rtms.simulator.server import ServerOptions, Simulator
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.zoomclock import ZoomClock
from deploy.local.ports import LOOPBACK
from deploy.local.server import Server
from schemas import topics
from schemas.ids import partition_of, session_id
from schemas.records import (
    AppSession,
    Caption,
    Chat,
    DeadLetter,
    Event,
    FactKind,
    MediaRecord,
    Record,
    RecordKind,
    SessionFact,
    StreamRequest,
    ZoomApp,
)
from schemas.sessions import LIVE, State
from schemas.topics import Topic
from tests.support.patient_zoom import PatientZoom
from tests.support.processes import PATIENCE_S, service
from tests.support.settings import kafka_settings

PROJECT = "proj_ingest"

Tally = dict[tuple[str, int], tuple[int, int, str]]


class House:
    """The pipeline's first rooms as processes, and this test's hands and eyes on the topics."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.ring = KeyRing([key := KeyRing.generate()])
        self.kafka = kafka_settings(env)
        self.folder = folder
        self.decoder = Decoder.from_settings(self.kafka)
        self.producer = create_producer(self.kafka, CONTROL)
        self.states: dict[str, AppSession] = {}
        self.seen: dict[tuple[str, str], float] = {}
        self._env = env | {
            "RTMS_SECRETS_KEYS": key,
            "RTMS_INGEST_ADDRESS": LOOPBACK,
            "RTMS_ZOOM_ALLOWED_HOSTS": "127.0.0.1",
            "RTMS_ZOOM_ALLOW_PLAINTEXT": "true",
        }
        self._lock = threading.Lock()
        self._view = TopicView(self.kafka, topics.APP_SESSIONS, self._apply).start()
        self.lifecycle = service(["-m", "processors", "lifecycle"], self._env, folder / "lifecycle.log")
        self.workers: dict[str, Server] = {}
        self.readers: dict[str, Server] = {}
        self.private: set[str] = set()

    def close(self) -> None:
        for server in (*self.workers.values(), *self.readers.values(), self.lifecycle):
            server.stop()
        self._view.close()
        self.producer.close()

    def named(self, name: str, **settings: str) -> Server:
        """The worker of that name, whether it runs or not. `settings` count when it is named first."""
        if name not in self.workers:
            env = self._env | {"RTMS_INGEST_WORKER": name} | settings
            self.workers[name] = service(["-m", "ingest"], env, self.folder / f"{name}.log")
        return self.workers[name]

    def worker(self, name: str, **settings: str) -> Server:
        """The worker of that name, ready; at once when it runs."""
        server = self.named(name, **settings)
        if server.pid is None or server.exit_code() is not None:
            server.launch()
        server.wait_ready()
        return server

    async def until_held(self, share: Mapping[str, int]) -> None:
        """Wait until each of these workers holds so many sessions, and their states say so."""

        def held() -> bool:
            with self._lock:
                said = Counter(state.worker for state in self.states.values() if state.state in LIVE)
            return said == share and all(self._holds(name) == count for name, count in share.items())

        await wait_until_read(held, self.logs)

    def _holds(self, name: str) -> int:
        """How many sessions the worker holds, as it says itself."""
        text = httpx.get(f"{self.workers[name].url}/metrics", timeout=PATIENCE_S, trust_env=False, verify=False).text
        families = text_string_to_metric_families(text)
        return round(sum(sample.value for f in families if f.name == "rtms_ingest_sessions" for sample in f.samples))

    def read_everything(self) -> None:
        """Have the processors run, which see both sides of a hand-over."""
        for name in ("muxing", "transcription", "participants"):
            if name not in self.readers:
                self.readers[name] = service(["-m", "processors", name], self._env, self.folder / f"{name}.log")
                self.readers[name].launch()
        for server in self.readers.values():
            server.wait_ready()

    def read_nothing(self) -> None:
        """Stop them: what comes now is none of theirs to see, and costs as much as if it were."""
        while self.readers:
            self.readers.popitem()[1].stop()

    def only(self, *names: str) -> None:
        """These workers and no others."""
        for name in names:
            self.worker(name)
        for name, server in self.workers.items():
            if name not in names:
                server.stop()

    def logs(self) -> str:
        return "\n".join(server.log.read_text() for server in self.workers.values() if server.log.exists())

    # --- the log ----------------------------------------------------------------------------------------------------

    def _apply(self, record: KafkaRecord) -> None:
        if record.value is None:
            return
        state = self.decoder.decode(topics.APP_SESSIONS, record.value)
        assert isinstance(state, AppSession)
        with self._lock:
            self.states[state.session_id] = state
            self.seen.setdefault((state.session_id, state.state), time.monotonic())

    def write(self, topic: Topic, key: str, record: Record) -> int:
        number = partition_of(key, self.kafka.partitions) if topic.per_session else 0
        return self.producer.send_blocking(topic, key.encode(), self.decoder.codec.encode(topic, record), number)

    def add_app(self, wanted: Credentials, secret: str | None = None) -> str:
        """A Zoom app with these credentials, or with a secret of its own."""
        app = ZoomApp(
            zoom_app_id=f"zapp_{uuid.uuid4().hex}",
            project_id=PROJECT,
            client_id=wanted.client_id,
            client_secret_encrypted=self.ring.encrypt(secret or wanted.client_secret),
            created_at_ms=0,
        )
        self.write(topics.ZOOM_APPS, app.zoom_app_id, app)
        return app.zoom_app_id

    def request(self, stream_id: str, zoom_app_id: str, *urls: str, **changes: Any) -> str:
        """Ask for a session as the API does; gives its id."""
        session = session_id(PROJECT, stream_id)
        known: dict[str, Any] = {"product": "meeting", "meeting_id": "nobody's", "stream_id": stream_id}
        settings = changes.pop("settings", None)
        self.state(
            session,
            FactKind.REQUESTED,
            project_id=PROJECT,
            source="api",
            settings=settings,
            request=StreamRequest(**known | {"server_urls": urls, "zoom_app_id": zoom_app_id} | changes),
        )
        return session

    def join(self, simulator: Simulator, stream: Stream, zoom_app_id: str | None = None) -> str:
        """Ask for a session on a simulated stream."""
        self.private |= {simulator.options.credentials.client_secret}
        self.private |= {person.name for person in stream.meeting.participants}
        self.private |= {turn.text for turn in stream.meeting.turns}
        return self.request(
            stream.identity.stream_id,
            zoom_app_id or self.add_app(simulator.options.credentials),
            simulator.signalling_url(stream),
            meeting_id=stream.identity.meeting_uuid,
        )

    def state(self, session: str, kind: FactKind, **changes: Any) -> int:
        return self.write(topics.SESSION_FACTS, session, SessionFact(session_id=session, kind=kind, **changes))

    async def until(self, session: str, *wanted: State, timeout_s: float = PATIENCE_S) -> AppSession:
        """Wait until the session is in one of these states."""
        await wait_until(
            lambda: session in self.states and self.states[session].state in wanted,
            timeout_s,
            lambda: f"{session} is {self.states.get(session)}\n{self.logs()[-6000:]}",
        )
        return self.states[session]

    def records(self, topic: Topic, session: str) -> list[Any]:
        """What the topic holds of the session, in order."""
        return self.all_records(topic, [session])[session]

    def all_records(self, topic: Topic, sessions: Sequence[str]) -> dict[str, list[Any]]:
        """What the topic holds of these sessions, each in order; read once."""
        numbers = {partition_of(one, self.kafka.partitions) if topic.per_session else 0 for one in sessions}
        found: dict[str, list[Any]] = {session: [] for session in sessions}
        loader = PartitionLoader(self.kafka)
        try:
            for loaded in loader.load([Place(topic.name, number) for number in numbers], PATIENCE_S):
                session = (loaded.key or b"").decode()
                if loaded.value and (session in found or not topic.per_session):
                    record = self.decoder.decode(topic, loaded.value)
                    found.get(getattr(record, "session_id", ""), []).append(record)
        finally:
            loader.close()
        return found

    def media(self, session: str) -> dict[str, list[MediaRecord]]:
        """The session's six topics by medium."""
        return self.all_media([session])[session]

    def all_media(self, sessions: Sequence[str]) -> dict[str, dict[str, list[MediaRecord]]]:
        """The six topics of each session by medium."""
        by_medium = {topic.medium: self.all_records(topic, sessions) for topic in topics.MEDIA_TOPICS}
        return {session: {medium: found[session] for medium, found in by_medium.items()} for session in sessions}

    def letters(self, session: str) -> list[DeadLetter]:
        return self.records(topics.DEAD_LETTERS, session)


async def wait_until(condition: Callable[[], object], timeout_s: float, failure: Callable[[], str]) -> None:
    """Wait while the loop (and the simulated Zoom in it) goes on."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, failure()
        await asyncio.sleep(0.02)


async def wait_until_read(condition: Callable[[], object], failure: Callable[[], str]) -> None:
    """The same for what has to be asked of somebody else; in the loop, the simulated Zoom would stand still."""
    deadline = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, failure()
        await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def house(topics_ready: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(topics_ready, tmp_path_factory.mktemp("ingest"))
    try:
        made.lifecycle.launch()
        made.worker("one")
        made.lifecycle.wait_ready()
        yield made
    finally:
        made.close()


@pytest.fixture
async def simulate() -> AsyncIterator[Callable[..., Any]]:
    """`await simulate(speed=…)`: a running simulated Zoom that drops no picture because this machine is slow.

    `waits`: for the worker of the one meeting that it has, however long that takes to come.
    """
    async with AsyncExitStack() as stack:

        async def start(*, speed: float = 2.0, rules: Rules | None = None, waits: bool = False) -> Simulator:
            options = ServerOptions(rules=replace(rules or Rules(), stale_picture_s=1e6))
            made = PatientZoom(options, speed) if waits else Simulator(options, ZoomClock(speed=speed))
            return await stack.enter_async_context(made)

        yield start


# --- what must be true of every session's topics ---------------------------------------------------------------------


def payload(record: MediaRecord) -> bytes:
    if isinstance(record, Caption | Chat):
        return record.text.encode()
    return getattr(record, "payload", b"")


def tally(media: dict[str, list[MediaRecord]]) -> Tally:
    """Frames, bytes and digest per medium and participant, in the shape of the simulator's truth; no events."""
    frames: Counter[tuple[str, int]] = Counter()
    sizes: Counter[tuple[str, int]] = Counter()
    digests: dict[tuple[str, int], Any] = {}
    for medium, records in media.items():
        for record in records:
            if record.kind is RecordKind.FRAME and not isinstance(record, Event):
                track = (medium, record.participant_id)
                frames[track] += 1
                sizes[track] += len(payload(record))
                digests.setdefault(track, hashlib.sha256()).update(payload(record))
    return {track: (frames[track], sizes[track], digests[track].hexdigest()) for track in frames}


def truth_tally(stream: Stream) -> Tally:
    return {
        (medium, track["user_id"]): (track["frames"], track["bytes"], track["sha256"])
        for medium, facts in stream.truth.media_json().items()
        if medium != "events"
        for track in facts["tracks"]
    }


def check_envelope(media: dict[str, list[MediaRecord]], missing: int = 0) -> None:
    """Every topic: epochs in order, each begun by its `begin`, numbered without a hole, one `end` at the very end.

    Who owns a session only when its stream is over connects to nothing: of its epoch there is the `end` alone.
    `missing`: how many numbers are known to be missing, of all topics together.
    """
    holes = 0
    for medium, records in media.items():
        kinds = [record.kind for record in records]
        epochs = [record.epoch for record in records]
        assert epochs == sorted(epochs), f"{medium}: a record of an older epoch after a newer one's begin"
        connected = set(epochs)
        if [record.kind for record in records if record.epoch == epochs[-1]] == [RecordKind.END]:
            connected.remove(epochs[-1])
        for epoch in connected:
            of_epoch = [record for record in records if record.epoch == epoch]
            assert of_epoch[0].kind is RecordKind.BEGIN, f"{medium}: epoch {epoch} begins with {of_epoch[0].kind}"
            numbers = [record.sequence for record in of_epoch]
            assert numbers == sorted(set(numbers)), f"{medium}: out of order or twice"
            holes += numbers[-1] + 1 - len(numbers)
        assert kinds.count(RecordKind.BEGIN) == len(connected), medium
        assert kinds.count(RecordKind.END) == 1, medium
        assert kinds[-1] is RecordKind.END, medium
    assert holes == missing, "not numbered without a hole"


def check_ticks(media: dict[str, list[MediaRecord]]) -> None:
    """No frame is as old as a tick before it had promised; the share, silent most of the time, ticks."""
    for medium, records in media.items():
        through: dict[int, int] = {}
        for record in records:
            if record.kind is RecordKind.TICK:
                through[record.epoch] = record.timestamp_ms
            elif record.kind is RecordKind.FRAME and medium != "events":
                assert record.timestamp_ms > through.get(record.epoch, 0), f"{medium}: a frame behind a tick"
    assert any(record.kind is RecordKind.TICK for record in media["share"])
