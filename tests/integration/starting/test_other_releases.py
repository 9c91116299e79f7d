"""Records of another release while the registry is away: they wait, what is known goes on, nobody loses its place."""

import time
import uuid
from itertools import count

import httpx
import pytest

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from deploy.local.server import Server
from schemas import topics
from schemas.codec import Codec
from schemas.ids import partition_of
from schemas.keys import item_key
from schemas.records import (
    AppSession,
    Audio,
    Event,
    FactKind,
    OutputKind,
    Record,
    RecordKind,
    Segment,
    SessionFact,
    StreamRequest,
    Utterance,
    ZoomApp,
)
from schemas.settings import Engine
from schemas.topics import Topic
from tests.integration.edges.conftest import SERVICES
from tests.integration.starting.conftest import DATABASE, PARTITIONS, PATIENCE_S, POLL_INTERVAL_S, Quarter
from tests.support.processes import wait_for

NOW_MS = 1_760_000_000_000
REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://x",), zoom_app_id="z")
UNKNOWN, KNOWN = 0, 1
"""Partitions: the first gets what only the registry can explain."""


pytestmark = pytest.mark.timeout(1200)


class Author:
    """Writes what others would, as one release or the other, and looks up what became of it."""

    def __init__(self, quarter: Quarter, codec: Codec) -> None:
        self._quarter, self._codec = quarter, codec

    def write(self, topic: Topic, key: bytes, record: Record, partition: int) -> None:
        self._quarter.producer.send_blocking(topic, key, self._codec.encode(topic, record), partition)

    def request(self, partition: int) -> str:
        session = session_in(partition)
        fact = SessionFact(session_id=session, kind=FactKind.REQUESTED, project_id="p", request=REQUEST)
        self.write(topics.SESSION_FACTS, session.encode(), fact, partition)
        return session

    def say(self, partition: int) -> str:
        session = session_in(partition)
        said = Utterance(
            session_id=session, kind=OutputKind.ITEM, utterance_id="utt_1", engine=Engine.ZOOM, start_ms=NOW_MS,
            end_ms=NOW_MS, text="hello",
        )  # fmt: skip
        self.write(topics.TRANSCRIPTS, item_key(session, "utt_1"), said, partition)
        return session

    def everything(self, partition: int) -> tuple[str, str]:
        """Something for everybody; the sessions that were requested and that spoke."""
        gone = session_in(partition)
        over = {"session_id": gone, "kind": RecordKind.END, "epoch": 1, "sequence": 0, "timestamp_ms": 1}
        ended = AppSession(
            session_id=gone, project_id="p", state="ended", request=REQUEST, settings="{}", metadata=None, history=(),
            recording_state="complete", transcription_state="complete", awaiting=(), created_at_ms=1, epoch=1,
            folded_offset=0,
        )  # fmt: skip
        app = ZoomApp(zoom_app_id=gone, project_id="p", client_id=gone, client_secret_encrypted="", created_at_ms=1)
        key = gone.encode()
        self.write(topics.AUDIO, key, Audio(arrived_us=1, **over), partition)
        self.write(topics.EVENTS, key, Event(arrived_us=1, **over), partition)
        self.write(topics.APP_SESSIONS, key, ended, partition)
        self.write(topics.RECORDING_SEGMENTS, key, Segment(session_id=gone, kind=OutputKind.UNKNOWN), partition)
        self.write(topics.ZOOM_APPS, key, app, 0)
        return self.request(partition), self.say(partition)


class Reader:
    """What became of it."""

    def __init__(self, quarter: Quarter) -> None:
        self._quarter = quarter
        self.database = ClickHouse(ClickHouseSettings(url=quarter.env["RTMS_CLICKHOUSE_URL"], database=DATABASE))

    def is_folded(self, session: str) -> bool:
        places = [Place(topics.APP_SESSIONS.name, number) for number in range(PARTITIONS)]
        loader = PartitionLoader(self._quarter.kafka)
        try:
            return session.encode() in {record.key for record in loader.load(places, PATIENCE_S)}
        finally:
            loader.close()

    def is_stored(self, session: str) -> bool:
        sql = "SELECT count() AS n FROM utterances WHERE session_id = {session:String}"
        return bool(self.database.query(sql, {"session": session})[0]["n"])


def session_in(partition: int) -> str:
    names = (f"app_{uuid.uuid4().hex}" for _ in count())
    return next(name for name in names if partition_of(name, PARTITIONS) == partition)


def metric(server: Server, name: str) -> float:
    """The sum over all labels."""
    text = httpx.get(f"{server.url}/metrics", trust_env=False, verify=False, timeout=PATIENCE_S).text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


@pytest.fixture
def everybody(quarter: Quarter) -> Quarter:
    down = [name for name, each in quarter.services.items() if each.exit_code() is not None or each.pid is None]
    quarter.start(*down)
    return quarter


def test_they_wait_for_the_registry_and_all_others_go_on(
    everybody: Quarter, registry: Server, other_release: Codec
) -> None:
    ours, theirs, reader = (
        Author(everybody, everybody.decoder.codec),
        Author(everybody, other_release),
        Reader(everybody),
    )
    registry.stop()
    waiting = theirs.everything(UNKNOWN)
    everybody.until_waiting("registry", *SERVICES)
    until = time.monotonic() + 1.5 * POLL_INTERVAL_S
    while time.monotonic() < until:  # longer than a group lets its members be silent
        asked, said = ours.request(KNOWN), ours.say(KNOWN)
        wait_for(lambda asked=asked: reader.is_folded(asked), PATIENCE_S, lambda: everybody.log("lifecycle")[-2000:])
        wait_for(lambda said=said: reader.is_stored(said), PATIENCE_S, lambda: everybody.log("sink-clickhouse")[-2000:])
    assert not reader.is_folded(waiting[0])
    assert not reader.is_stored(waiting[1])
    everybody.until_waiting("registry", *SERVICES)
    everybody.until_beating(*SERVICES)
    for each in everybody.services.values():
        # Not later: one becomes of what is then stated about a session that ended without having been requested.
        assert metric(each, "rtms_kafka_dead_letters_total{") == 0
    registry.start()
    for name, each in everybody.services.items():
        each.wait_ready()
        assert everybody.said(name, "waiting")[-1] == everybody.said(name, "no longer waiting")[-1] == "registry"
        assert "member was away too long" not in everybody.log(name)
    wait_for(lambda: reader.is_folded(waiting[0]), PATIENCE_S, lambda: everybody.log("lifecycle")[-2000:])
    wait_for(lambda: reader.is_stored(waiting[1]), PATIENCE_S, lambda: everybody.log("sink-clickhouse")[-2000:])
