"""Notices become deliveries, deliveries are written before and after every attempt; Kafka stands in as memory."""

import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import pytest

from connectors.host.clock import SystemClock
from connectors.host.signals import StopSignal
from connectors.kafka.errors import KafkaError, OffsetOutOfRange
from connectors.kafka.records import Place, Record
from connectors.webhooks.targets import TargetPolicy
from schemas import topics
from schemas.codec import Codec
from schemas.deletion import covers, said_until_ms
from schemas.keys import item_key
from schemas.records import (
    AppSession,
    Deletion,
    DeliveryStatus,
    HistoryEntry,
    OutputKind,
    SessionChange,
    StreamRequest,
    Utterance,
    WebhookSubscription,
)
from sinks.webhooks import announcing
from sinks.webhooks.announcing import Announcer
from sinks.webhooks.delivering import Connections, Deliverer
from sinks.webhooks.directory import NotKnownYet
from sinks.webhooks.lanes import Lanes
from sinks.webhooks.ownership import Ownership
from sinks.webhooks.posting import Posting
from sinks.webhooks.settings import SinkWebhooksSettings
from tests.support.memory_losses import MemoryLosses
from tests.support.receiver import Receiver, receiving
from tests.unit.sinks.webhooks.test_metrics import named

CODEC = Codec.with_ids_from(topics.ALL)
DECODER = SimpleNamespace(
    codec=CODEC, decode=CODEC.decode, decode_patiently=lambda topic, data, _wait: CODEC.decode(topic, data)
)
SESSION = AppSession(
    session_id="app_1", project_id="p", state="connected", settings="{}", metadata=None, history=(),
    request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
    recording_state="not_started", transcription_state="not_started", awaiting=(), created_at_ms=1, epoch=-1,
    folded_offset=0,
)  # fmt: skip
SECRET = "AAAA"


class Log:
    """Topics in memory; `refuses` is how many of the next records are not taken."""

    def __init__(self):
        self.topics, self.refuses = {}, 0

    def send_future(self, topic, key, value, partition):
        future = Future()
        if self.refuses:
            self.refuses -= 1
            future.set_exception(KafkaError("not now"))
            return future
        records = self.topics.setdefault(topic.name, [])
        records.append(Record(topic.name, partition, len(records), int(time.time() * 1000), key, value))
        future.set_result(len(records) - 1)
        return future

    def values(self, topic):
        return [CODEC.decode(topic, record.value) for record in self.topics.get(topic.name, [])]


class Member:
    """A group member that holds partition 0 of some topics."""

    def __init__(self, log, *names):
        self.log, self.names, self.at, self.committed = log, names, dict.fromkeys(names, 0), {}
        self.overtaken, self.paused, self.polls = [], frozenset(), 0

    def consume(self, _most, wait_s=0.0):
        self.polls += 1
        if self.overtaken:
            raise OffsetOutOfRange(self.overtaken.pop())
        found = []
        for name in self.names:
            if Place(name, 0) in self.paused:
                continue
            records = self.log.topics.get(name, [])[self.at[name] :]
            self.at[name] += len(records)
            found += records
        return found

    def assignment(self):
        return frozenset(Place(name, 0) for name in self.names)

    def commit(self, offsets):
        self.committed |= offsets

    def seek(self, place, _offset):
        self.at[place.topic] = 0

    def put_back(self, offsets, _rest_s):
        self.at |= {place.topic: offset for place, offset in offsets.items()}

    def pause(self, places):
        self.paused = frozenset(places)

    def resume(self, _places):
        self.paused = frozenset()


class Town:
    """An announcer and a deliverer over one log, telling real receivers."""

    def __init__(self, url, log=None):
        self.log = log or Log()
        self.hook = WebhookSubscription(
            subscription_id="webhook_1", project_id="p", url=url, triggers=("bot.state_change", "transcript.update"),
            secrets_encrypted=(), created_at_ms=0,
        )  # fmt: skip
        self.session, self.not_yet, self.knows_hook = SESSION, set(), True
        directory = SimpleNamespace(
            is_ready=True,
            is_deleted=lambda _session_id: said_until_ms(self.session) > 0,
            withdraws=lambda told: covers(self.session, told),
            session=self.session_of,
            knows_subscriptions=lambda: self.knows_hook,
            subscriptions=lambda _project: [self.hook] if self.knows_hook else [],
            subscription=lambda name: self.hook if self.knows_hook and name == "webhook_1" else None,
            secrets=lambda _delivery: [SECRET] if self.knows_hook else [],
        )
        settings = SinkWebhooksSettings(timeout_s=60, disable_after_failed=2)
        self.posting, self.lanes = Posting(TargetPolicy(allow_loopback=True), settings), Lanes()
        self.notices = Member(self.log, topics.WEBHOOK_NOTICES.name)
        self.news = news = Member(self.log, topics.SESSION_CHANGES.name, topics.TRANSCRIPTS.name)
        stop, clock = StopSignal(), SystemClock()
        self.losses = MemoryLosses()
        self.announcer = Announcer(announcing.Connections(news, self.log, DECODER, directory, self.losses), stop, clock)
        connections = Connections(self.notices, self.log, DECODER, directory, self.posting, self.lanes, self.losses)
        self.deliverer = Deliverer(connections, settings, stop, clock)
        left = self.log.topics.get(topics.WEBHOOK_DELIVERIES.name, [])
        loaded = SimpleNamespace(load_all=lambda _places, _s: (record for record in left))
        Ownership(self.lanes, loaded, DECODER, 1.0).on_assigned({Place(topics.WEBHOOK_NOTICES.name, 0): 0})

    def change(self, number):
        entry = HistoryEntry(event_type="e", old_state="a", new_state=f"state {number}", created_at_ms=1)
        value = SessionChange(session_id="app_1", project_id="p", sequence=number + 1, change=entry)
        self.log.send_future(topics.SESSION_CHANGES, b"app_1", CODEC.encode(topics.SESSION_CHANGES, value), 0)

    def say(self, number):
        value = Utterance(
            session_id="app_1", kind=OutputKind.ITEM, utterance_id=f"utt_{number}", engine="zoom", text=f"word {number}"
        )
        self.log.send_future(topics.TRANSCRIPTS, b"app_1", CODEC.encode(topics.TRANSCRIPTS, value), 0)

    def session_of(self, session_id):
        if session_id in self.not_yet:
            raise NotKnownYet
        return self.session if session_id == "app_1" else None

    def delete(self):
        self.session = replace(SESSION, deletion=Deletion(reason="asked", asked_at_ms=1))

    def until(self, condition, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline
            self.announcer.step(0)
            self.deliverer.step(0)
            time.sleep(0.001)

    def deliveries(self):
        newest = {}
        for delivery in self.log.values(topics.WEBHOOK_DELIVERIES):
            newest[delivery.delivery_id] = delivery
        return list(newest.values())


def are_over(town, count):
    return lambda: [d.status for d in town.deliveries()] == [DeliveryStatus.DELIVERED] * count


def test_news_are_told_in_order_and_noted(town, receiver):
    for number in range(3):
        town.change(number)
    town.until(are_over(town, 3))
    assert receiver.states() == ["state 0", "state 1", "state 2"]
    assert [told.json["sequence"] for told in receiver.told] == [0, 1, 2]
    assert [len(delivery.attempts) for delivery in town.deliveries()] == [1, 1, 1]
    assert town.deliveries()[0].attempts[0].excerpt == "heard"
    assert town.notices.committed == {Place(topics.WEBHOOK_NOTICES.name, 0): 3}


def test_what_kafka_does_not_take_is_written_again_before_anything_is_sent(town, receiver):
    town.change(0)
    town.announcer.step(0)
    town.log.refuses = 1
    town.deliverer.step(0)
    assert town.notices.committed == {}
    assert receiver.told == []
    town.until(are_over(town, 1))
    assert len(receiver.told) == 1


def test_who_cannot_write_stays_a_member_and_reads_nothing_more(town, receiver):
    """A member that does not poll for a minute loses its partitions."""
    town.change(0)
    town.announcer.step(0)
    town.change(1)
    town.log.refuses = 1_000
    for polls in range(1, 4):
        town.deliverer.step(0)
        assert town.notices.polls == polls
    assert town.notices.paused
    before = town.news.polls
    town.announcer.step(0)
    town.announcer.step(0)
    assert town.news.polls == before + 2
    town.log.refuses = 0
    town.until(are_over(town, 2))
    assert receiver.states() == ["state 0", "state 1"]
    assert not town.notices.paused


def test_what_moves_away_unwritten_is_the_next_owners(town):
    town.change(0)
    town.announcer.step(0)
    town.log.refuses = 1
    town.deliverer.step(0)
    town.notices.names = ()
    town.deliverer.step(0)
    assert town.deliveries() == []


def test_a_session_that_is_not_known_yet_holds_back_its_partition_alone(town, receiver):
    town.not_yet.add("app_1")
    town.change(0)
    town.announcer.step(0)
    town.announcer.step(0)
    assert (town.news.committed, town.log.values(topics.WEBHOOK_NOTICES)) == ({}, [])
    town.log.send_future(topics.TRANSCRIPTS, b"app_2", b"garbage", 0)
    town.announcer.step(0)
    assert town.news.committed == {Place(topics.TRANSCRIPTS.name, 0): 1}
    town.not_yet.clear()
    town.until(are_over(town, 1))
    assert receiver.states() == ["state 0"]


def test_a_successor_goes_on_where_the_log_ends(town, receiver):
    receiver.status = 503
    town.change(0)
    town.until(lambda: [len(delivery.attempts) for delivery in town.deliveries()] == [1])
    receiver.status = 200
    successor = Town(receiver.url, town.log)
    try:
        successor.change(1)
        successor.until(are_over(successor, 2))
    finally:
        successor.posting.close()
    assert [told.json["sequence"] for told in receiver.told] == [0, 0, 1]
    assert receiver.told[0].body == receiver.told[1].body


def test_who_fails_is_named_as_long_as_it_does(town, receiver):
    receiver.status = 500
    town.change(0)
    town.until(lambda: named() == {"webhook_1": 1})
    town.lanes.drop({0})
    town.until(lambda: named() == {})


def test_a_record_under_a_foreign_key_is_not_told(town, receiver):
    entry = HistoryEntry(event_type="e", old_state="a", new_state="b", created_at_ms=1)
    value = SessionChange(session_id="app_2", project_id="p", sequence=1, change=entry)
    encoded = CODEC.encode(topics.SESSION_CHANGES, value)
    town.log.send_future(topics.SESSION_CHANGES, b"app_1", encoded, 0)
    town.log.send_future(topics.SESSION_CHANGES, b"app_2", encoded, 0)
    town.log.send_future(topics.SESSION_CHANGES, b"app_1", b"garbage", 0)
    town.change(0)
    town.until(are_over(town, 1))
    assert receiver.states() == ["state 0"]


def letters(town):
    return [(letter.topic, letter.offset, letter.data) for letter in town.log.values(topics.DEAD_LETTERS)]


def test_what_only_we_read_and_nobody_can_read_becomes_a_dead_letter(town, receiver):
    """The announcer's other inputs are put aside by the sink of rows."""
    town.log.send_future(topics.SESSION_CHANGES, b"app_1", b"a change", 0)
    town.log.send_future(topics.TRANSCRIPTS, b"app_1", b"a line", 0)
    town.log.send_future(topics.WEBHOOK_NOTICES, b"app_1", b"a notice", 0)
    town.change(0)
    town.until(are_over(town, 1))
    assert sorted(letters(town)) == [("session-changes", 0, b"a change"), ("webhook-notices", 0, b"a notice")]
    assert receiver.states() == ["state 0"]


def test_a_letter_that_kafka_does_not_take_is_written_again_before_the_commit(town):
    town.log.send_future(topics.WEBHOOK_NOTICES, b"app_1", b"a notice", 0)
    town.log.refuses = 1
    town.deliverer.step(0)
    assert (letters(town), town.notices.committed) == ([], {})
    town.deliverer.step(0)
    assert letters(town) == [("webhook-notices", 0, b"a notice")]
    assert town.notices.committed == {Place(topics.WEBHOOK_NOTICES.name, 0): 1}


@pytest.mark.parametrize(("who", "topic"), [("news", topics.SESSION_CHANGES), ("notices", topics.WEBHOOK_NOTICES)])
def test_what_retention_took_is_stated_before_the_rest_is_read(town, receiver, who, topic):
    place = Place(topic.name, 0)
    getattr(town, who).overtaken.append(place)
    town.losses.errors.append(KafkaError("not now"))
    town.change(0)
    town.until(are_over(town, 1))
    assert town.losses.stated == [place]
    assert receiver.states() == ["state 0"]


def test_an_attempt_that_is_under_way_is_broken_off_at_the_end():
    over = threading.Event()
    with receiving(Receiver(on_told=lambda _: over.wait())) as slow:
        town = Town(slow.url)
        town.change(0)
        town.until(lambda: town.deliverer._answers)
        town.posting.close()
        over.set()
        [(*_, answer)] = town.deliverer._answers
        assert answer.cancelled()


def test_a_key_is_the_sessions_and_the_items(town):
    town.change(0)
    town.announcer.step(0)
    [record] = town.log.topics[topics.WEBHOOK_NOTICES.name]
    [notice] = town.log.values(topics.WEBHOOK_NOTICES)
    assert record.key == item_key("app_1", notice.delivery_id)


def test_of_a_deleted_session_only_its_state_is_told(town, receiver):
    """What was not taken yet is withdrawn, and holds nobody back; what comes later is not even noted."""
    receiver.status = 503
    town.say(0)
    town.say(1)
    town.until(lambda: [len(delivery.attempts) for delivery in town.deliveries()] == [1, 0])
    receiver.status, tried = 200, len(receiver.told)
    town.delete()
    town.say(2)
    town.change(0)
    town.until(lambda: receiver.states())
    town.until(lambda: {d.status for d in town.deliveries()} == {DeliveryStatus.FAILED, DeliveryStatus.DELIVERED})
    assert [told.json["trigger"] for told in receiver.told[tried:]] == ["bot.state_change"]
    *withdrawn, told = town.deliveries()
    assert [(d.body, d.status, d.attempts[-1].error) for d in withdrawn] == [("{}", "failed", "data_deleted")] * 2
    assert (told.sequence, told.trigger) == (2, "bot.state_change")
    assert town.lanes.waiting == 0


def test_a_notice_from_before_the_deletion_makes_no_delivery(town, receiver):
    town.say(0)
    town.announcer.step(0)
    town.delete()
    town.deliverer.step(0)
    assert (town.deliveries(), town.notices.committed) == ([], {Place(topics.WEBHOOK_NOTICES.name, 0): 1})


def test_nothing_is_sent_before_it_is_known_what_is_deleted(town, receiver):
    town.say(0)
    town.announcer.step(0)
    directory = town.deliverer._to.directory
    directory.is_ready = False
    town.deliverer.step(0)
    assert [delivery.status for delivery in town.deliveries()] == [DeliveryStatus.PENDING]
    assert not town.deliverer._answers
    directory.is_ready = True
    town.until(are_over(town, 1))
