"""Muxing and the objects sink killed while meetings go on: recordings are those of an undisturbed run, to the byte."""

import random
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.host.secrets import KeyRing
from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import MEDIA, create_producer
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.objects.store import ObjectStore
from deploy.local.server import Server
from schemas import object_names, tracks
from schemas.ids import partition_of, session_id
from schemas.records import Codec, FactKind, MediaRecord, OutputKind, Segment, SessionFact
from schemas.settings import AudioCodec, SessionSettings
from schemas.topics import AUDIO, BY_NAME, RECORDING_SEGMENTS, SESSION_FACTS, SHARE, VIDEO
from sinks.objects import layout
from sinks.objects.movies import write_movie
from sinks.objects.track_files import write_film, write_sound
from tests.support.encoded_sound import CHUNK_MS, encoded
from tests.support.groups import begin_at_the_ends
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import decoded, items_of, muxed
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.settings import kafka_settings
from tests.support.still_pictures import still_records
from tests.support.topics import values

SESSIONS = 5
WITH_TRACKS = (0, 3)
SECONDS = 8.0
KILLS = 2
T = START_MS

pytestmark = pytest.mark.timeout(900)
MOMENTS = tuple(range(T + 1000, T + 20_000, 2000))

CODECS = [(Codec.OPUS, 48_000), (Codec.G722, 16_000), (Codec.G711, 8_000), (Codec.L16, 16_000), (Codec.L16, 16_000)]

Meeting = dict[str, list[MediaRecord]]


def meeting(session: str, number: int) -> Meeting:
    """Cameras that switch, stop and come back, voices that overlap, screens as film and as stills; a little different
    in every session, and each in another codec; some with tracks beside the recording."""
    shots = [
        Shot(T + 100 * number, T + 7000, 1, fps=10, key_every=20, flashes_ms=MOMENTS),
        Shot(T + 7000, T + 9000 + 300 * number, 2, fps=10, key_every=7, skip=number % 3, grey=60),
        Shot(T + 15_000, T + 20_000, 1, fps=10, width=200, height=100, flashes_ms=MOMENTS),
    ]
    talks = [
        Talk(T, T + 20_000 - 700 * number, 1, beeps_ms=MOMENTS[:5], hum_hz=180 + number, jitter_ms=2),
        Talk(T + 4000, T + 6000, 2, hum_hz=300),
    ]
    screen = Shot(T + 8000 + 100 * number, T + 12_000, 2, fps=2, width=400, height=300, key_every=4)
    screens: list[MediaRecord] = [*(still_records if number % 2 else video_records)(session, [screen])]
    codec, rate_hz = CODECS[number]
    sound = audio_records(session, [replace(talk, rate_hz=rate_hz, chunk_ms=CHUNK_MS) for talk in talks])
    frames = {AUDIO.name: encoded(sound, codec), VIDEO.name: video_records(session, shots), SHARE.name: screens}
    has_tracks = number in WITH_TRACKS
    settings = SessionSettings(audio_codec=AudioCodec(codec), participant_audio=has_tracks, share_track=has_tracks)
    return {topic: wrapped(session, records, settings=settings) for topic, records in frames.items()}


def write(kafka: KafkaSettings, meetings: dict[str, Meeting], seconds: float) -> None:
    """All meetings at once, every record at its moment, `seconds` in all."""
    decoder, producer = Decoder.from_settings(kafka), create_producer(kafka, MEDIA)
    rows = [
        (max(record.timestamp_ms, T), topic, session, record)
        for session, topics in meetings.items()
        for topic, records in topics.items()
        for record in records
    ]
    rows.sort(key=lambda row: row[0])
    began, last_ms = time.monotonic(), rows[-1][0]
    for at_ms, topic, session, record in rows:
        due = began + (at_ms - T) / (last_ms - T) * seconds
        if (wait_s := due - time.monotonic()) > 0:
            time.sleep(wait_s)
        value = decoder.codec.encode(BY_NAME[topic], record)
        producer.send(BY_NAME[topic], session.encode(), value, partition_of(session, kafka.partitions))
    assert producer.close() == 0


class Stage:
    """A pair of processes on groups and a folder of their own."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        run = uuid.uuid4().hex
        self.kafka = kafka_settings(env)
        self.objects = ObjectsSettings(url=f"file://{folder}/objects")
        own = {
            "RTMS_PROCESSORS_GROUP_PREFIX": f"{run}-",
            "RTMS_PROCESSORS_SESSION_TIMEOUT_S": "6",
            "RTMS_SINK_OBJECTS_GROUP_PREFIX": f"{run}-",
            "RTMS_SECRETS_KEYS": KeyRing.generate(),
            "RTMS_SINK_OBJECTS_SCRATCH_DIR": f"{folder}/scratch",
            "RTMS_OBJECTS_URL": self.objects.url,
        }
        begin_at_the_ends(self.kafka, f"{run}-muxing", (AUDIO.name, VIDEO.name, SHARE.name))
        begin_at_the_ends(self.kafka, f"{run}-sink-objects", (RECORDING_SEGMENTS.name,))
        self.muxing = service(["-m", "processors", "muxing"], env | own, folder / "muxing.log")
        self.sink = service(["-m", "sinks", "objects"], env | own, folder / "sink.log")
        self.sessions = [session_id("proj_muxing", f"{run}-{number}") for number in range(SESSIONS)]
        self.meetings = {session: meeting(session, number) for number, session in enumerate(self.sessions)}

    def facts(self) -> dict[str, SessionFact]:
        wanted = (FactKind.RECORDING_STORED, FactKind.RECORDING_FAILED)
        found = values(self.kafka, SESSION_FACTS, self.sessions)
        return {f.session_id: f for f in found if isinstance(f, SessionFact) and f.kind in wanted}

    def ended(self) -> int:
        """How many recordings muxing has ended."""
        found = values(self.kafka, RECORDING_SEGMENTS, self.sessions)
        return sum(isinstance(part, Segment) and part.kind is OutputKind.END for part in found)

    def wait_for_facts(self) -> dict[str, SessionFact]:
        logs = f"{self.muxing.log} and {self.sink.log}"
        wait_for(lambda: len(self.facts()) == SESSIONS, 180, lambda: f"only {self.facts().keys()}, see {logs}")
        return self.facts()

    def check(self, folder: Path) -> None:
        """Everything stored and stated is what a run in one piece, in this process, yields."""
        facts = self.wait_for_facts()
        written = values(self.kafka, RECORDING_SEGMENTS, self.sessions)
        store = ObjectStore(self.objects)
        for session, topics in self.meetings.items():
            expected = {
                part.segment_id: part
                for part in muxed(topics[AUDIO.name], topics[VIDEO.name], session, share=topics[SHARE.name])
            }
            found = [part for part in written if isinstance(part, Segment) and part.session_id == session]
            assert {part.segment_id for part in found} == expected.keys()
            assert [part.start_ms for part in found if part != expected[part.segment_id]] == []
            parts, end = list(expected.values()), next(p for p in expected.values() if p.kind is OutputKind.END)
            items = items_of(parts)
            for track in (tracks.RECORDING, *(track.track for track in end.tracks)):
                assert [stored.key for stored in store.list(object_names.segments_prefix(session, track))] == [
                    object_names.segment_key(part) for part in items_of(parts, track)
                ]
            self._check_movie(session, items, facts[session], folder)
            assert bool(end.tracks) == (self.sessions.index(session) in WITH_TRACKS)
            assert [track.track for track in facts[session].tracks] == [track.track for track in end.tracks]
            for track in facts[session].tracks:
                write = write_film if track.track == tracks.SHARE else write_sound
                write(_pieces(items_of(parts, track.track)), folder / "expected", end.duration_ms)
                assert track.reason is None
                assert store.get(object_names.track_key(session, track.track)) == (folder / "expected").read_bytes()

    def _check_movie(self, session: str, items: list[Segment], fact: SessionFact, folder: Path) -> None:
        write_movie(_pieces(items), folder / "expected.mp4")
        movie = ObjectStore(self.objects).get(object_names.movie_key(session))
        assert movie == (folder / "expected.mp4").read_bytes()
        assert fact.kind is FactKind.RECORDING_STORED
        assert fact.stored is not None
        assert (fact.stored.size_bytes, fact.stored.count) == (len(movie), len(items))
        result = decoded(movie)
        assert result.errors == []
        codec, _ = CODECS[self.sessions.index(session)]
        beeps = result.beeps(48_000 if codec is Codec.OPUS else 16_000)
        pairs = zip(result.flashes()[:3], beeps[:3], strict=True)
        assert max(abs(flash - beep) for flash, beep in pairs) <= 0.005


def _pieces(items: list[Segment]) -> list[bytes]:
    stored = [
        object_names.StoredSegment(i.start_ms, i.duration_ms, object_names.header_name(i.init), "") for i in items
    ]
    header = next(i.init for i in items if object_names.header_name(i.init) == layout.main_header(stored))
    return [header, *(item.payload for item in items)]


@pytest.fixture
def stage(topics_ready: dict[str, str], tmp_path: Path) -> Stage:
    return Stage(topics_ready, tmp_path)


def kill_some(stage: Stage, dice: random.Random) -> None:
    for _ in range(KILLS):
        for victim in (stage.muxing, stage.sink):
            victim.wait_ready()
            time.sleep(dice.uniform(0.2, 1.2))  # no condition to wait for: the moment is meant to be arbitrary
            victim.kill()
            victim.launch()
    for victim in (stage.muxing, stage.sink):  # all may be done by now, and nobody ends what has not yet begun
        victim.wait_ready()


def test_killed_while_meetings_go_on(stage: Stage, tmp_path: Path) -> None:
    dice = random.Random(7)
    stage.muxing.start()
    stage.sink.start()
    pool = ThreadPoolExecutor(1)
    writing = pool.submit(write, stage.kafka, stage.meetings, SECONDS)
    try:
        kill_some(stage, dice)
        writing.result()
        stage.check(tmp_path)
    finally:
        pool.shutdown()
        stage.sink.stop()
        stage.muxing.stop()
    assert "stopped" in stage.sink.log.read_text()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_sink_that_comes_late_and_is_killed_while_it_finishes(stage: Stage, tmp_path: Path) -> None:
    with running(stage.muxing):
        write(stage.kafka, stage.meetings, 0.5)
        wait_for(lambda: stage.ended() == SESSIONS, 180, lambda: f"not all ended: see {stage.muxing.log}")
    try:
        stage.sink.start()
        wait_for(lambda: bool(stage.facts()), PATIENCE_S, lambda: f"nothing finished: see {stage.sink.log}")
        stage.sink.kill()
        stage.sink.start()
        stage.check(tmp_path)
    finally:
        stage.sink.stop()


@contextmanager
def running(server: Server) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.stop()
