"""The ClickHouse sink as a process: every row once, whatever is killed or away, and endings that are true."""

import uuid
from dataclasses import replace

import pytest

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from schemas import chat_messages, topics
from schemas.chat_messages import ChatDetails
from schemas.ids import derived, partition_of
from schemas.participant_events import CHAT_MESSAGE, CHAT_MESSAGE_DELETED
from schemas.records import (
    AppSession,
    DeliveryAttempt,
    DeliveryStatus,
    FactKind,
    OutputKind,
    ParticipantEvent,
    StreamRequest,
    Utterance,
    UtteranceStatus,
    WebhookDelivery,
)
from schemas.signing import canonical
from schemas.triggers import Trigger
from tests.support.processes import PATIENCE_S, running, service, wait_for
from tests.support.stack import run_module
from tests.support.topics import values
from tests.support.writer import writing

pytestmark = pytest.mark.timeout(600)

NOW_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def env(topics_ready, clickhouse):
    env = topics_ready | {"RTMS_CLICKHOUSE_URL": clickhouse.url, "RTMS_SINK_CLICKHOUSE_BATCH_LINGER_MS": "20"}
    run_module("connectors.clickhouse", "tables", env=env)
    return env


@pytest.fixture(scope="module")
def writer(env):
    with writing(env) as opened:
        yield opened


@pytest.fixture(scope="module")
def database(clickhouse):
    client = ClickHouse(ClickHouseSettings(url=clickhouse.url))
    yield client
    client.close()


def new_session():
    return derived("app_", uuid.uuid4().hex)


def utterance(session_id, number, text, revision=0):
    return Utterance(
        session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{number:04}", revision=revision, engine="zoom",
        start_ms=NOW_MS + number, end_ms=NOW_MS + number, text=text, participant_name="Ada",
    )  # fmt: skip


def texts(database, session_id):
    sql = "SELECT text FROM utterances WHERE session_id = {id:String} ORDER BY start_ms"
    return [row["text"] for row in database.query(sql, {"id": session_id})]


def facts(writer, session_id):
    """Each once, however often it is stated: as often as it takes until Kafka has the commit, too."""
    stated = values(writer.kafka, topics.SESSION_FACTS, [session_id])
    return list(dict.fromkeys((fact.kind, fact.stored.count) for fact in stated if fact.stored))


def until(condition, what, timeout_s=PATIENCE_S):
    wait_for(condition, timeout_s, lambda: f"not in time: {what}")


def test_revisions_replace_and_endings_are_stated_after_their_rows(env, writer, database, tmp_path):
    session_id = new_session()
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log") as sink:
        for number in range(30):
            writer.write(topics.TRANSCRIPTS, session_id, utterance(session_id, number, f"draft {number}"))
        until(lambda: len(texts(database, session_id)) == 30, "drafts")
        writer.say(session_id, [utterance(session_id, number, f"final {number}", 1) for number in range(30)])
        events = [
            ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id=f"pe_{number}", event="join",
                             timestamp_ms=NOW_MS) for number in range(3)
        ]  # fmt: skip
        writer.happen(session_id, events)
        until(lambda: len(facts(writer, session_id)) == 2, "endings")
        assert texts(database, session_id) == [f"final {number}" for number in range(30)]
        assert sorted(facts(writer, session_id)) == [(FactKind.EVENTS_STORED, 3), (FactKind.TRANSCRIPT_STORED, 30)]
    log = sink.log.read_text()
    assert "stopped" in log
    assert "Ada" not in log
    assert "final" not in log


@pytest.mark.parametrize("is_late", [False, True])
def test_what_a_deleted_message_said_is_gone_from_rows_and_records(env, writer, database, tmp_path, is_late):
    """Whether its words are written before it is deleted, or again by somebody who goes on for a dead processor."""
    session_id = new_session()
    said, deleted = wrote(session_id, "msg_1.0", "the word"), wrote(session_id, "msg_1.1", "", CHAT_MESSAGE_DELETED)
    other = wrote(session_id, "msg_2.2", "the word")
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log") as sink:
        for event in (said, other, deleted, *([said] if is_late else [])):
            writer.write_item(topics.PARTICIPANT_EVENTS, session_id, event.event_id, event)
        sql = "SELECT event_id, details FROM participant_events WHERE session_id = {id:String} ORDER BY event_id"
        told = lambda: [("word" in row["details"]) for row in database.query(sql, {"id": session_id})]  # noqa: E731
        until(lambda: told() == [False, False, True], f"taken away; see {sink.log}")
        newest = {event.event_id: event for event in values(writer.kafka, topics.PARTICIPANT_EVENTS, [session_id])}
        empty = chat_messages.dumps(ChatDetails(to="only_bot", additional={"is_deleted": True}))
        assert newest["msg_1.0"] == replace(said, details=empty)
        assert (newest["msg_2.2"], newest["msg_1.1"]) == (other, deleted)
        end = ParticipantEvent(session_id=session_id, kind=OutputKind.END, count=3)
        writer.write_item(topics.PARTICIPANT_EVENTS, session_id, "end", end)
        until(lambda: facts(writer, session_id) == [(FactKind.EVENTS_STORED, 3)], "the message still counts")
    assert "word" not in sink.log.read_text()


@pytest.mark.parametrize("is_late", [False, True])
def test_what_was_told_of_a_deleted_message_is_gone_too(env, writer, database, tmp_path, is_late):
    """Of deliveries that are over, whether the message was deleted before or after; one that is tried goes on."""
    session_id = new_session()
    deleted = wrote(session_id, "msg_1.1", "", CHAT_MESSAGE_DELETED)
    told, failed = (
        delivery(session_id, "told", "msg_1", "the word"),
        delivery(session_id, "failed", "msg_1", "the word"),
    )
    other, last = delivery(session_id, "other", "msg_2", "the word"), delivery(session_id, "last", "msg_1", "")
    tried = [replace(failed, status=DeliveryStatus.PENDING, attempts=()), replace(failed, status=DeliveryStatus.FAILED)]
    before, after = ([tried[0]], [told, other, last]) if is_late else ([tried[0], told, other], [last])

    def write(deliveries):
        for one in deliveries:
            writer.write_item(topics.WEBHOOK_DELIVERIES, session_id, one.delivery_id, one)

    def documents():
        sql = "SELECT delivery_id, document FROM webhook_deliveries WHERE session_id = {id:String} ORDER BY delivery_id"
        found = database.query(sql, {"id": session_id})
        return {row["delivery_id"]: "word" in row["document"] for row in found}

    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log") as sink:
        write(before)
        until(lambda: len(documents()) == len(before), "rows")
        writer.write_item(topics.PARTICIPANT_EVENTS, session_id, deleted.event_id, deleted)
        write(after)
        until(lambda: documents() == {"failed": True, "last": False, "other": True, "told": False}, f"see {sink.log}")
        write(tried[1:])
        until(lambda: documents() == {"failed": False, "last": False, "other": True, "told": False}, f"see {sink.log}")
    newest = {each.delivery_id: each for each in values(writer.kafka, topics.WEBHOOK_DELIVERIES, [session_id])}
    assert newest["told"] == replace(told, body="{}", attempts=(replace(told.attempts[0], excerpt=""),))
    assert (newest["failed"].status, newest["failed"].body) == (DeliveryStatus.FAILED, "{}")
    assert (newest["other"], newest["last"]) == (other, last)
    assert "word" not in sink.log.read_text()


def test_what_zoom_says_last_of_a_caption_is_what_is_left(env, writer, database, tmp_path):
    """Somebody who goes on for a dead processor writes the first revisions again, behind the last."""
    session_id = new_session()
    changed, gone = utterance(session_id, 2, "better", 4), replace(utterance(session_id, 1, "", 5), withdraws=True)
    first = [utterance(session_id, number, "the word", 1) for number in range(3)]
    about = {"engine": "zoom", "segment_id": "utt_0001", "timestamp_ms": NOW_MS + 1}
    told, untold = (
        replace(delivery(session_id, f"told_{revision}", "", ""), trigger=Trigger.TRANSCRIPT,
                body=canonical({"data": about | {"revision": revision, "transcription": {"transcript": text}}}))
        for revision, text in ((1, "the word"), (5, ""))
    )  # fmt: skip
    sql = "SELECT text FROM utterances WHERE session_id = {id:String} AND start_ms = {at:Int64} SETTINGS final = 0"
    delivered = "SELECT document AS text FROM webhook_deliveries WHERE session_id = {id:String}"
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log") as sink:
        for one in (told, untold):
            writer.write_item(topics.WEBHOOK_DELIVERIES, session_id, one.delivery_id, one)
        for some in (first, (changed, gone), first):
            for one in some:
                writer.write_item(topics.TRANSCRIPTS, session_id, one.utterance_id, one)
            until(lambda: len(texts(database, session_id)) == 3, f"rows; see {sink.log}")
        until(lambda: texts(database, session_id) == ["the word", "", "better"], f"see {sink.log}")
        newest = lambda: {u.utterance_id: u for u in values(writer.kafka, topics.TRANSCRIPTS, [session_id])}  # noqa: E731
        left = {"utt_0000": first[0], "utt_0001": gone, "utt_0002": changed}
        until(lambda: newest() == left, f"records put right; see {sink.log}")
        at = {"id": session_id, "at": NOW_MS + 1}
        rows = lambda sql: "".join(row["text"] for row in database.query(sql, at))  # noqa: E731
        until(lambda: "word" not in rows(delivered), f"deliveries; see {sink.log}")
        until(lambda: "word" not in rows(sql), f"rows that have lost and are not merged yet; see {sink.log}")
        end = Utterance(session_id=session_id, kind=OutputKind.END, count=3)
        writer.write_item(topics.TRANSCRIPTS, session_id, "end", end)
        until(lambda: facts(writer, session_id) == [(FactKind.TRANSCRIPT_STORED, 3)], "it still counts")
    stored = {one.delivery_id: one for one in values(writer.kafka, topics.WEBHOOK_DELIVERIES, [session_id])}
    assert stored == {"told_1": replace(told, body="{}", attempts=stored["told_1"].attempts), "told_5": untold}
    assert "word" not in sink.log.read_text()


def delivery(session_id, name, message_id, text):
    data = {"id": message_id, "text": text, "additional_data": {} if text else {"is_deleted": True}}
    return WebhookDelivery(
        delivery_id=name, session_id=session_id, project_id=f"project-of-{session_id}", subscription_id="sub_1",
        url="https://example.com/", trigger=Trigger.CHAT, sequence=0, body=canonical({"data": data}),
        status=DeliveryStatus.DELIVERED, attempts=(DeliveryAttempt(at_ms=NOW_MS, status_code=200, excerpt="thanks"),),
        due_ms=0, created_at_ms=NOW_MS, notice_offset=0,
    )  # fmt: skip


def wrote(session_id, event_id, text, event=CHAT_MESSAGE):
    details = '{"additional":{"is_deleted":true}}' if not text else f'{{"text":"{text}","to":"only_bot"}}'
    return ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id=event_id, event=event,
                            participant_name="Ada", timestamp_ms=NOW_MS, details=details)  # fmt: skip


def test_app_sessions_keep_their_newest_state(env, writer, database, tmp_path):
    session_id, project = new_session(), uuid.uuid4().hex
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log"):
        for state in ("connecting", "connected", "ended"):
            request = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
            record = AppSession(
                session_id=session_id, project_id=project, state=state, request=request, settings="{}", metadata=None,
                history=(), recording_state="", transcription_state="", awaiting=(), created_at_ms=NOW_MS, epoch=0,
                folded_offset=0,
            )  # fmt: skip
            writer.write(topics.APP_SESSIONS, session_id, record)
        sql = "SELECT state FROM app_sessions WHERE project_id = {id:String}"
        until(lambda: [row["state"] for row in database.query(sql, {"id": project})] == ["ended"], "ended")


def test_what_cannot_be_a_row_becomes_a_dead_letter_and_the_rest_goes_on(env, writer, database, tmp_path):
    session_id = new_session()
    partition = partition_of(session_id, writer.kafka.partitions)
    bad = writer.producer.send_blocking(topics.TRANSCRIPTS, session_id.encode(), b"\x00garbage", partition)
    writer.write(topics.TRANSCRIPTS, session_id, utterance(session_id, -2 * NOW_MS, "before time"))
    writer.producer.send_blocking(topics.TRANSCRIPTS, session_id.encode(), None, partition)
    writer.write(topics.TRANSCRIPTS, session_id, Utterance(session_id=session_id, kind=OutputKind.UNKNOWN))
    writer.say(session_id, [utterance(session_id, 1, "fine")])
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log"):
        until(lambda: facts(writer, session_id) == [(FactKind.TRANSCRIPT_STORED, 1)], "the ending")
    letters = {letter.offset: letter.reason for letter in all_letters(writer) if letter.partition == partition}
    assert letters[bad].startswith("unknown schema id")
    assert letters[bad + 1] == "time out of range"
    assert len([offset for offset in letters if offset >= bad]) == 2


def test_rows_that_never_come_hold_nobody_up_and_are_not_hidden(env, writer, database, tmp_path):
    """One utterance fits no column, one nobody could recognise; of the events one was never written."""
    unfit, unheard, thinned = new_session(), new_session(), new_session()
    failed = Utterance(
        session_id=unheard, kind=OutputKind.ITEM, utterance_id="utt_m", engine="moonshine", start_ms=NOW_MS,
        end_ms=NOW_MS, status=UtteranceStatus.FAILED, reason="took longer than 60 s",
    )  # fmt: skip
    writer.say(unfit, [utterance(unfit, 1, "fine"), utterance(unfit, -2 * NOW_MS, "before time")])
    writer.say(unheard, [utterance(unheard, 1, "fine"), failed])
    writer.write(topics.PARTICIPANT_EVENTS, thinned, ParticipantEvent(session_id=thinned, kind=OutputKind.END, count=1))
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log"):
        sessions = (unfit, unheard, thinned)
        until(lambda: all(facts(writer, session_id) for session_id in sessions), "the endings")
    stated = {s: (f.kind, f.reason) for s in sessions for f in values(writer.kafka, topics.SESSION_FACTS, [s])}
    assert stated == {
        unfit: (FactKind.TRANSCRIPT_FAILED, "rows_missing: 1 of 2"),
        unheard: (FactKind.TRANSCRIPT_FAILED, "utterances_failed: 1 of 2 (internal_error)"),
        thinned: (FactKind.EVENTS_FAILED, "rows_missing: 1 of 1"),
    }
    assert texts(database, unfit) == ["fine"], "what is there can be read"


def all_letters(writer):
    loader = PartitionLoader(writer.kafka)
    try:
        records = list(loader.load([Place(topics.DEAD_LETTERS.name, 0)], PATIENCE_S))
    finally:
        loader.close()
    return [writer.decoder.decode(topics.DEAD_LETTERS, record.value) for record in records if record.value]


def test_killed_again_and_again(env, writer, database, tmp_path):
    sessions = [new_session() for _ in range(4)]
    sink = service(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log")
    sink.start()
    try:
        for number in range(200):
            for session_id in sessions:
                writer.write(topics.TRANSCRIPTS, session_id, utterance(session_id, number, f"text {number}"))
            if number in (60, 130):
                sink.kill()
                sink.launch()
        for session_id in sessions:
            writer.say(session_id, [utterance(session_id, number, f"text {number}") for number in range(200)])
        until(lambda: all(facts(writer, session_id) for session_id in sessions), f"endings; see {sink.log}", 120)
        for session_id in sessions:
            assert texts(database, session_id) == [f"text {number}" for number in range(200)]
            assert facts(writer, session_id) == [(FactKind.TRANSCRIPT_STORED, 200)]
    finally:
        sink.stop()


def test_clickhouse_away(env, writer, database, clickhouse, tmp_path):
    session_id = new_session()
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log") as sink:
        clickhouse.stop()
        try:
            writer.say(session_id, [utterance(session_id, number, f"text {number}") for number in range(50)])
            until(lambda: "batch not written, trying again" in sink.log.read_text(), "the sink notices")
            until(lambda: not sink.is_ready(), "the sink says so")
            assert facts(writer, session_id) == []
        finally:
            clickhouse.start()
        until(lambda: facts(writer, session_id) == [(FactKind.TRANSCRIPT_STORED, 50)], "the ending")
        assert texts(database, session_id) == [f"text {number}" for number in range(50)]
        until(sink.is_ready, "ready again")


def test_kafka_away(env, writer, database, kafka, tmp_path):
    session_id = new_session()
    with running(["-m", "sinks", "clickhouse"], env, tmp_path / "sink.log"):
        writer.write(topics.TRANSCRIPTS, session_id, utterance(session_id, 0, "before"))
        until(lambda: texts(database, session_id) == ["before"], "the first")
        kafka.stop()
        kafka.start()
        writer.say(session_id, [utterance(session_id, 0, "before"), utterance(session_id, 1, "after")])
        until(lambda: (FactKind.TRANSCRIPT_STORED, 2) in facts(writer, session_id), "the ending")
        assert texts(database, session_id) == ["before", "after"]
