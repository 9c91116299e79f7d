"""A deletion that is broken off anywhere is completed by a successor, and its receipt counts what there was."""

from collections import Counter
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from connectors.clickhouse.errors import Unavailable
from connectors.host.clock import SystemClock
from connectors.host.signals import StopSignal
from connectors.kafka.errors import Fatal, TimedOut
from connectors.kafka.records import Record
from schemas import deletion, topics
from schemas.codec import Codec
from schemas.deletion import Part
from schemas.keys import item_key
from schemas.records import Deletion, OutputKind, ParticipantEvent, Utterance
from sinks.clickhouse import content
from sinks.clickhouse.erasing import Erasing, Rows, Tools
from tests.support.memory_deletions import MemoryDeletions, deleted
from tests.unit.schemas.test_deletion import TOLD

CODEC = Codec.with_ids_from(topics.ALL)
DECODER = SimpleNamespace(
    codec=CODEC, decode_patiently=lambda topic, data, _wait: CODEC.decode(topic, data)
)  # fmt: skip
GONE, KEPT = "app_1", "app_2"


class Killed(Exception):
    """Here a process ended."""


class World:
    """Topics and rows that outlive processes; one of them dies at its `lives`th call."""

    def __init__(self):
        self.topics = {topic.name: [] for topic in (*content.TOPICS, topics.SESSION_FACTS)}
        self.rows = Counter({GONE: 3, KEPT: 3})
        self.lives, self.now_ms = -1, 0
        for session_id in (GONE, KEPT):
            for number in range(2):
                said = Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{number}", text="word")
                self.put(topics.TRANSCRIPTS, item_key(session_id, said.utterance_id), said)
                self.put(topics.TRANSCRIPTS, item_key(session_id, said.utterance_id), said)
            came = ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id="pe_1")
            self.put(topics.PARTICIPANT_EVENTS, item_key(session_id, "pe_1"), came)
            self.put(topics.WEBHOOK_DELIVERIES, item_key(session_id, "whd_1"), told(session_id, "transcript.update"))
            self.put(topics.WEBHOOK_DELIVERIES, item_key(session_id, "whd_2"), told(session_id, "bot.state_change"))
        self.put_bytes(topics.TRANSCRIPTS, item_key(GONE, "rubbish"), b"rubbish with a word in it")

    def put(self, topic, key, value):
        self.put_bytes(topic, key, None if value is None else CODEC.encode(topic, value))

    def put_bytes(self, topic, key, data):
        records = self.topics[topic.name]
        records.append(Record(topic.name, 0, len(records), self.now_ms, key, data))

    def call(self):
        if self.lives == 0:
            raise Killed
        self.lives -= 1

    def load(self, places, _timeout_s):
        self.call()
        for place in places:
            yield from list(self.topics[place.topic])

    def send_future(self, topic, key, data, partition):
        self.call()
        assert partition == 0
        self.put_bytes(topic, key, data)
        future = Future()
        future.set_result(0)
        return future

    def count(self, sessions):
        self.call()
        return Counter({session.session_id: self.rows[session.session_id] for session in sessions})

    def delete(self, sessions):
        self.call()
        for session in sessions:
            del self.rows[session.session_id]

    def purge(self):
        self.call()

    def newest(self, session_id):
        found = {}
        for topic in content.TOPICS:
            for record in self.topics[topic.name]:
                if record.key.startswith(session_id.encode()):
                    found[topic, record.key] = record.value
        return [CODEC.decode(topic, value) for (topic, _), value in found.items() if value is not None]

    def receipt(self):
        state = Deletion(reason="asked", asked_at_ms=0)
        for record in self.topics[topics.SESSION_FACTS.name]:
            fact = CODEC.decode(topics.SESSION_FACTS, record.value)
            assert fact.session_id == GONE
            state = deletion.folded(state, fact, record.offset + 1)
        return state


def told(session_id, trigger):
    return deletion.replace(TOLD, session_id=session_id, trigger=trigger)


def process(world, deletions=None):
    tools = Tools(world, world, DECODER, deletions or MemoryDeletions(), world)
    return Erasing(tools, StopSignal(), SystemClock())


def erase(world):
    working = process(world)
    try:
        working._erase([deleted(GONE)])
    finally:
        working.close()


def check(world):
    assert world.rows == {KEPT: 3}
    assert len(world.newest(KEPT)) == 5
    left = world.newest(GONE)
    assert [(d.trigger, d.body) for d in left] == [("transcript.update", "{}"), ("bot.state_change", TOLD.body)]
    assert {part.part: part.count for part in world.receipt().parts} == {"rows": 3, "records": 5}
    assert deletion.missing(world.receipt()) == {Part.OBJECTS}


def test_killed_at_any_call_the_next_one_completes_it():
    for lives in range(100):
        world = World()
        world.lives = lives
        try:
            erase(world)
        except Killed:
            said = {part.part for part in world.receipt().parts if part.erased_at_ms is not None}
            assert not said or world.rows == {KEPT: 3}, "said to be gone while it was there"
        else:
            break
        world.lives = -1
        erase(world)
        check(world)
    assert lives > 10
    check(world)


def test_erasing_again_writes_nothing_but_the_facts():
    world = World()
    erase(world)
    before = {name: len(records) for name, records in world.topics.items()}
    erase(world)
    assert {name: len(world.topics[name]) - count for name, count in before.items() if name != "session-facts"} == {
        topic.name: 0 for topic in content.TOPICS
    }
    check(world)


def of_transcript(world, asked_at_ms):
    working = process(world)
    try:
        found = working._records(0, {GONE: deleted(GONE)._replace(said_until_ms=9, asked_at_ms=asked_at_ms)})
    finally:
        working.close()
    return Counter(topic.name for _, topic, *_ in found)


def test_of_a_transcript_what_the_sink_has_replaced_already_is_counted_and_what_an_earlier_deletion_has_is_not():
    world = World()
    assert of_transcript(world, asked_at_ms=5)[topics.TRANSCRIPTS.name] == 2
    world.now_ms = 5
    world.put(topics.TRANSCRIPTS, item_key(GONE, "utt_0"), None)
    assert of_transcript(world, asked_at_ms=5)[topics.TRANSCRIPTS.name] == 2
    assert of_transcript(world, asked_at_ms=6)[topics.TRANSCRIPTS.name] == 1


@pytest.fixture
def failing(monkeypatch):
    """A process whose thread fails as it is told to."""
    deletions = MemoryDeletions()
    deletions.due = [deleted(GONE, 0), deleted("app_3", 1), deleted("app_4", 1)]
    working, outcomes, done = process(World(), deletions), [], []

    def erase(sessions):
        if outcomes and (error := outcomes.pop(0)) is not None:
            raise error
        done.append([session.session_id for session in sessions])

    monkeypatch.setattr(working, "_erase", erase)
    yield SimpleNamespace(working=working, deletions=deletions, outcomes=outcomes, done=done)
    working.close()


def steps(working, partitions=(0, 1)):
    for _ in range(6):
        working.step(set(partitions))
        if working._running is not None:
            working._running[1].exception(10)


def test_what_is_due_is_erased_partition_by_partition_and_once(failing):
    steps(failing.working)
    assert failing.done == [[GONE], ["app_3", "app_4"]]


def test_only_in_the_partitions_held(failing):
    steps(failing.working, [1])
    assert failing.done == [["app_3", "app_4"]]


@pytest.mark.parametrize("error", [Unavailable("away"), TimedOut("away"), TimeoutError(), ValueError("a fault")])
def test_what_fails_is_tried_again_and_holds_up_nobody(failing, monkeypatch, error):
    failing.outcomes.append(error)
    monkeypatch.setattr("sinks.clickhouse.erasing.delays_s", lambda: iter([0.0] * 9))
    failing.working._delays = iter([0.0] * 9)
    steps(failing.working)
    assert failing.done == [[GONE], ["app_3", "app_4"]]


def test_a_client_that_is_broken_for_good_ends_the_process(failing):
    failing.outcomes.append(Fatal("fenced"))
    with pytest.raises(Fatal):
        steps(failing.working)


class Disk:
    """Tables as ClickHouse has them: what is deleted is invisible, and there until a mutation."""

    def __init__(self):
        self.rows, self.masked, self.lives = dict.fromkeys(content.TABLES, 3), set(), -1

    def query(self, sql, parameters=None, _patience_s=None):
        if sql == content.MASKED:
            return [{"table": table} for table in parameters["tables"] if table in self.masked]
        [table] = [name for name in self.rows if f"FROM {name} " in sql]
        return [{"session_id": GONE, "rows": self.rows[table]}] if self.rows[table] else []

    def command(self, sql, _parameters=None, patience_s=None):
        if self.lives == 0:
            raise Killed
        self.lives -= 1
        [table] = [name for name in self.rows if name in sql.split()]
        if sql.startswith("DELETE"):
            self.rows[table] = 0
            self.masked.add(table)
        else:
            self.masked.discard(table)


@pytest.mark.parametrize("lives", range(6))
def test_who_is_killed_between_the_two_leaves_nothing_on_the_disk(lives):
    disk = Disk()
    disk.lives = lives
    with pytest.raises(Killed):
        Rows(disk).delete([deleted(GONE)])
    disk.lives = -1
    Rows(disk).delete([deleted(GONE)])
    Rows(disk).purge()
    assert (set(disk.rows.values()), disk.masked) == ({0}, set())


def test_a_successor_has_the_disk_forget_what_is_invisible_before_anything_else():
    disk = Disk()
    disk.masked.add(content.TABLES[0])
    world = World()
    working = Erasing(Tools(world, world, DECODER, MemoryDeletions(), Rows(disk)), StopSignal(), SystemClock())
    try:
        steps(working)
    finally:
        working.close()
    assert disk.masked == set()
