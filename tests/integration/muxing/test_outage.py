"""The objects sink against a bucket that is away at first, with rubbish among its records: nothing is lost for it."""

import uuid
from pathlib import Path

import pytest

from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import MEDIA, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from deploy.local.ports import free_ports
from schemas import object_names
from schemas.ids import partition_of, session_id
from schemas.records import FactKind, Segment, SessionFact
from schemas.topics import DEAD_LETTERS, RECORDING_SEGMENTS, SESSION_FACTS
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import decoded, muxed
from tests.support.processes import PATIENCE_S, running, wait_for
from tests.support.s3_server import s3_server, status
from tests.support.settings import kafka_settings
from tests.support.topics import values

pytestmark = pytest.mark.timeout(600)

T = START_MS
RUBBISH = b"\0not a segment"


def send(kafka: KafkaSettings, session: str, parts: list[Segment]) -> None:
    decoder, producer = Decoder.from_settings(kafka), create_producer(kafka, MEDIA)
    partition = partition_of(session, kafka.partitions)
    producer.send(RECORDING_SEGMENTS, session.encode(), RUBBISH, partition)
    for part in parts:
        value = decoder.codec.encode(RECORDING_SEGMENTS, part)
        producer.send(RECORDING_SEGMENTS, session.encode(), value, partition)
    assert producer.close() == 0


def test_a_bucket_that_comes_late(topics_ready: dict[str, str], tmp_path: Path) -> None:
    kafka = kafka_settings(topics_ready)
    session = session_id("proj_outage", uuid.uuid4().hex)
    audio = wrapped(session, audio_records(session, [Talk(T, T + 9000)]))
    parts = muxed(audio, wrapped(session, video_records(session, [Shot(T, T + 9000)])), session)
    (port,) = free_ports(1)
    env = topics_ready | {
        "RTMS_SINK_OBJECTS_GROUP_PREFIX": f"{uuid.uuid4().hex}-",
        "RTMS_SECRETS_KEYS": KeyRing.generate(),
        "RTMS_SINK_OBJECTS_SCRATCH_DIR": str(tmp_path / "scratch"),
        "RTMS_SINK_OBJECTS_LONGEST_RETRY_S": "1",
        "RTMS_OBJECTS_URL": "s3://recordings/test",
        "RTMS_OBJECTS_ENDPOINT": f"http://127.0.0.1:{port}",
        "RTMS_OBJECTS_ACCESS_KEY_ID": "key",
        "RTMS_OBJECTS_SECRET_ACCESS_KEY": "secret",
        "RTMS_OBJECTS_RETRY_S": "1",
    }
    with running(["-m", "sinks", "objects"], env, tmp_path / "sink.log") as sink:
        ready = f"{sink.url}/readyz"
        send(kafka, session, parts)
        wait_for(lambda: status("get", ready) == 503, PATIENCE_S, lambda: f"trouble is not told: {sink.log}")
        with s3_server(port, tmp_path / "s3.log", "recordings"):
            wait_for(lambda: fact_of(kafka, session) is not None, PATIENCE_S, lambda: f"not finished: {sink.log}")
            wait_for(lambda: status("get", ready) == 200, PATIENCE_S, lambda: f"still not ready: {sink.log}")
            check(env, session, parts, fact_of(kafka, session))
    letters = [letter for letter in values(kafka, DEAD_LETTERS, [session]) if letter.data == RUBBISH]  # type: ignore[union-attr]
    assert len(letters) == 1


def fact_of(kafka: KafkaSettings, session: str) -> SessionFact | None:
    facts = [fact for fact in values(kafka, SESSION_FACTS, [session]) if isinstance(fact, SessionFact)]
    return facts[-1] if facts else None


def check(env: dict[str, str], session: str, parts: list[Segment], fact: SessionFact | None) -> None:
    assert fact is not None
    assert fact.kind is FactKind.RECORDING_STORED
    settings = ObjectsSettings(
        url=env["RTMS_OBJECTS_URL"],
        endpoint=env["RTMS_OBJECTS_ENDPOINT"],
        access_key_id="key",
        secret_access_key="secret",  # type: ignore[arg-type]
    )
    store = ObjectStore(settings)
    assert len(store.list(object_names.segments_prefix(session))) == len(parts) - 1
    assert decoded(store.get(object_names.movie_key(session))).errors == []
