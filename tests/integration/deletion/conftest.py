"""Everything that stores or tells something, and ways to look for a word wherever it may be."""

import json
import re
import uuid
from dataclasses import replace

import pytest
from confluent_kafka.admin import AdminClient

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.kafka.producer import MEDIA, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from schemas import clickhouse as tables
from schemas import topics
from schemas.ids import partition_of
from schemas.keys import item_key, objects_folder
from schemas.object_names import track_key
from schemas.records import OutputKind, ParticipantEvent, TrackCount, Utterance
from schemas.settings import Engine, SessionSettings
from schemas.tracks import COMPOSED, of_participant
from tests.support.groups import Lag
from tests.support.house import PATIENT, fetched, open_house
from tests.support.media import START_MS, Shot, Talk, audio_records, silent, video_records, wrapped
from tests.support.muxed import items_of, muxed
from tests.support.processes import PATIENCE_S, service, wait_for
from tests.support.receiver import receiving

COMPACTED = (topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.WEBHOOK_DELIVERIES)
LINES = 3
"""Of Zoom's; the first was put right, so one more delivery than lines was made,"""

CHANGES, SIDE = 1, 1
"""and there is one more of a side transcript."""

TOLD = LINES + CHANGES + 5
"""Those, and the states of a session that ends."""

ROWS = {"utterances": LINES + SIDE, "participant_events": 1, "webhook_deliveries": LINES + CHANGES}
CLICKHOUSE_GROUP, OBJECTS_GROUP = "sink-clickhouse", "sink-objects"
INPUTS = {
    CLICKHOUSE_GROUP: [topic.name for topic in COMPACTED],  # behind a transaction nobody commits up to the end
    OBJECTS_GROUP: [topics.RECORDING_SEGMENTS.name],
}


def until(condition, what, timeout_s=PATIENCE_S):
    wait_for(condition, timeout_s, lambda: f"not in time: {what}")


def content(path):
    """What a file holds; nothing if the broker has deleted it meanwhile."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def recorded(session_id):
    """The recording, a track of sound, and a view that was drawn of it, with their ends."""
    wanted = SessionSettings(participant_audio=True)
    audio, video = (
        wrapped(session_id, records, settings=wanted)
        for records in (audio_records(session_id, [Talk(START_MS, START_MS + 5000)]),
                        video_records(session_id, [Shot(START_MS, START_MS + 5000)]))
    )  # fmt: skip
    parts = muxed(audio, video, session_id, share=silent(session_id, wanted))
    drawn = [replace(part, kind=OutputKind.TRACK, track=COMPOSED, segment_id=f"{part.segment_id}_drawn")
             for part in items_of(parts)]  # fmt: skip
    count = TrackCount(track=COMPOSED, count=len(drawn))
    end = replace(parts[-1], kind=OutputKind.TRACK_END, segment_id="drawn", track=COMPOSED, tracks=(count,))
    return [*parts, *drawn, end]


class Village:
    """A house whose receivers are told, too; what it is told to say it says in records of their own, uncompressed."""

    def __init__(self, house, webhooks, broker, database, receiver):
        self.house, self.webhooks, self.broker, self.database = house, webhooks, broker, database
        self.receiver = receiver
        self.tenant = house.tenant()
        self.kafka, self.decoder = house.others.kafka, house.others.decoder
        self.plain = create_producer(self.kafka, MEDIA)
        hook = {"url": receiver.url, "triggers": ["bot.state_change", "transcript.update"]}
        self.tenant.http.post("/webhooks", json=hook).raise_for_status()

    def write(self, topic, session_id, item_id, record):
        value = self.decoder.codec.encode(topic, record)
        partition = partition_of(session_id, self.kafka.partitions)
        return self.plain.send_blocking(topic, item_key(session_id, item_id), value, partition)

    def results(self, session_id, word):
        """What the processors write of a short meeting, ends included: (topic, item id, record). A caption was changed;
        there are a side transcript, a track of a participant's sound, and a drawn view."""
        said = [
            Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{n}", engine=Engine.ZOOM,
                      text=f"the {word} {n}", participant_id=7, participant_name=f"Ada {word}",
                      start_ms=START_MS + n, end_ms=START_MS + n + 1)
            for n in range(LINES)
        ]  # fmt: skip
        came = ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id="pe_1", event="join",
                                participant_id=7, participant_name=f"Ada {word}", timestamp_ms=START_MS)  # fmt: skip
        said.append(replace(said[0], text=f"the {word} 0, put right", revision=2))
        said.append(replace(said[0], text=f"{word} as another heard it", utterance_id="utt_side", engine="tran_1"))
        return [
            *((topics.RECORDING_SEGMENTS, part.segment_id or "end", part) for part in recorded(session_id)),
            *((topics.TRANSCRIPTS, record.utterance_id, record) for record in said),
            (topics.TRANSCRIPTS, "end", Utterance(session_id=session_id, kind=OutputKind.END, count=LINES)),
            (topics.PARTICIPANT_EVENTS, "pe_1", came),
            (topics.PARTICIPANT_EVENTS, "end", ParticipantEvent(session_id=session_id, kind=OutputKind.END, count=1)),
        ]

    def publish(self, session_id, word):
        for topic, item_id, record in self.results(session_id, word):
            self.write(topic, session_id, item_id, record)

    def meeting(self, word, stream_id=None):
        """A session that has ended, everything of it stored and told; its id."""
        session_id = self.tenant.create(stream_id, metadata={"deal": "7"}).raise_for_status().json()["id"]
        epoch = self.house.others.connect(session_id)
        self.publish(session_id, word)
        self.house.others.disconnect(session_id, epoch)
        until(lambda: self.state(session_id) == "ended", f"ended; see {self.house.objects_sink.log}")
        until(lambda: len(self.told(session_id)) == TOLD, f"all told; see {self.webhooks.log}")
        until(lambda: self.deliveries(session_id) == ["delivered"] * TOLD, "all deliveries noted")
        until(lambda: self.rows(word) == ROWS, "all rows")
        until(lambda: self.has_files(session_id), f"the drawn view; see {self.house.objects_sink.log}")
        return session_id

    def deliveries(self, session_id):
        """How far each is, as its last row says: behind that its sink writes nothing more of it."""
        listed = self.tenant.http.get("/webhook_deliveries", params={"app_session_id": session_id}).json()
        return [delivery["status"] for delivery in listed["results"]]

    def state(self, session_id):
        return self.tenant.http.get(f"/app_sessions/{session_id}").json()["state"]

    def delete(self, session_id):
        return self.tenant.http.post(f"/app_sessions/{session_id}/delete_data")

    def receipt(self, session_id):
        return self.tenant.http.get(f"/app_sessions/{session_id}/data_deletion").json()

    def told(self, session_id):
        return [told for told in self.receiver.told if told.json["app_session_id"] == session_id]

    def rows(self, word):
        """How many rows of each table have the word anywhere."""
        found = {}
        for table in tables.TABLES:
            sql = f"SELECT count() AS n FROM {table.name} WHERE position(toString(tuple(*)), {{word:String}}) > 0"
            [row] = self.database.query(sql, {"word": word})
            found |= {table.name: row["n"]} if row["n"] else {}
        return found

    def objects(self, session_id):
        folder = self.house.objects / objects_folder(session_id)
        return [path for path in folder.rglob("*") if path.is_file()]

    def has_files(self, session_id):
        """Whether the participant's sound and the drawn view are there as files."""
        wanted = {self.house.objects / track_key(session_id, track) for track in (COMPOSED, of_participant(1))}
        return wanted <= set(self.objects(session_id))

    def newest(self, topic, session_id):
        """The newest value of each key of a session, by key."""
        partition = partition_of(session_id, self.kafka.partitions)
        loader = PartitionLoader(self.kafka)
        try:
            records = list(loader.load([Place(topic.name, partition)], PATIENCE_S))
        finally:
            loader.close()
        return {r.key: r.value for r in records if (r.key or b"").startswith(session_id.encode())}

    def states(self):
        """The sessions that the log has a state of."""
        loader, newest = PartitionLoader(self.kafka), {}
        try:
            for record in loader.load(
                [Place(topics.APP_SESSIONS.name, n) for n in range(self.kafka.partitions)], PATIENCE_S
            ):
                newest[record.key.decode()] = record.value
        finally:
            loader.close()
        return {session_id for session_id, value in newest.items() if value is not None}

    def records(self, session_id, word):
        """The topics whose newest records still have the word."""
        return [
            topic.name
            for topic in COMPACTED
            for value in self.newest(topic, session_id).values()
            if value is not None and word in repr(self.decoder.decode(topic, value))
        ]

    def on_disk(self, topic, session_id, word):
        """Whether the broker's own files hold the word: as it is, or in a record that a newer one has replaced."""
        partition = partition_of(session_id, self.kafka.partitions)
        folder = self.broker.log.parent / "data" / f"{topic.name}-{partition}"
        if any(word.encode() in content(path) for path in folder.glob("*.log*")):
            return True
        loader = PartitionLoader(self.kafka)
        try:
            records = list(loader.load([Place(topic.name, partition)], PATIENCE_S))
        finally:
            loader.close()
        return any(r.value and word in repr(self.decoder.decode(topic, r.value)) for r in records)

    def stir(self, topic, session_id):
        """Write something of somebody else's to the session's partition: only then does a broker close a segment."""
        partition = partition_of(session_id, self.kafka.partitions)
        self.plain.send_blocking(topic, b"nobody|nothing", None, partition)

    def answers(self, session_id, word):
        """The answers that show the word, or a recording."""
        ask, kinds = self.tenant.http.get, ("transcript", "transcript/export?format=json", "talk_time", "participants",
                                            "participant_events")  # fmt: skip
        shown = {kind: word in ask(f"/app_sessions/{session_id}/{kind}").text for kind in kinds} | {
            "search": bool(ask("/transcripts/search", params={"query": word}).json()["results"]),
            "deliveries": word in json.dumps(ask("/webhook_deliveries").json()),
            "media": ask(f"/app_sessions/{session_id}/media").status_code != 404,
        }
        return [name for name, is_shown in shown.items() if is_shown]

    def subtitles(self, session_id):
        """A link to what was said in the recording's first segment."""
        url = self.tenant.http.get(f"/app_sessions/{session_id}/playlist").json()["url"]
        index = fetched(url).text
        transcript = fetched(re.findall(r'URI="([^"]+)"', index)[0]).text
        return next(line for line in transcript.splitlines() if line and not line.startswith("#"))

    def traces(self, session_id, word):
        """Wherever something is left."""
        return [*self.rows(word), *self.objects(session_id), *self.records(session_id, word),
                *self.answers(session_id, word)]  # fmt: skip

    def caught_up(self):
        for group, names in INPUTS.items():
            lag = Lag(self.kafka, group, names)
            until(lambda lag=lag: not lag(), f"{group} caught up")

    def replay(self, session_id, word):
        """Write all of it again while the sinks are stopped, and have them begin at the first record."""
        sinks = (self.house.sink, self.house.objects_sink)
        for sink in sinks:
            sink.stop()
        self.publish(session_id, word)
        self.forget_offsets()
        for sink in sinks:
            sink.start()
        self.caught_up()

    def forget_offsets(self):
        """Have the sinks, which must not run, begin at the first record again."""
        admin = AdminClient(self.kafka.admin_config())
        for future in admin.delete_consumer_groups(list(INPUTS)).values():
            future.result(PATIENCE_S)

    def close(self):
        self.plain.close()


@pytest.fixture(scope="module")
def village(topics_ready, kafka, clickhouse, tmp_path_factory):
    own = {"RTMS_WEBHOOKS_ALLOW_LOOPBACK": "true", "RTMS_SINK_CLICKHOUSE_BATCH_LINGER_MS": "20",
           "RTMS_API_DELETION_PATIENCE_S": "2", "RTMS_SINK_WEBHOOKS_TIMEOUT_S": str(2 * PATIENCE_S)}  # fmt: skip
    folder = tmp_path_factory.mktemp("deletion")
    with open_house(PATIENT | topics_ready | own, clickhouse.url, folder) as house, receiving() as receiver:
        webhooks = service(["-m", "sinks", "webhooks"], house.env, folder / "webhooks.log")
        database = ClickHouse(ClickHouseSettings(url=clickhouse.url))
        webhooks.start()
        made = Village(house, webhooks, kafka, database, receiver)
        try:
            yield made
        finally:
            made.close()
            webhooks.stop()
            database.close()


@pytest.fixture
def word():
    return f"hush{uuid.uuid4().hex}"
