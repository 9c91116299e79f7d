"""Receivers told by the real sink, of sessions that the real lifecycle folds."""

import base64
import hashlib
import hmac
import threading
import uuid

import httpx
import msgspec
import pytest

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.settings import ClickHouseSettings
from schemas import ids, topics
from schemas.clickhouse import WEBHOOK_DELIVERIES
from schemas.deletion import emptied
from schemas.records import OutputKind, ParticipantEvent, RecordKind, Utterance, WebhookDelivery
from schemas.traces import trace_id, traceparent
from sinks.clickhouse.rows import Position, row_of
from tests.support.house import PATIENT, open_house, stream
from tests.support.meeting_events import SPEECH, chat, event, record, told_of
from tests.support.otlp import collecting
from tests.support.processes import PATIENCE_S, running, wait_for
from tests.support.receiver import Receiver, receiving

pytestmark = pytest.mark.timeout(900)

T0_MS = 1_700_000_000_000
ALL = ["bot.state_change", "transcript.update", "participant_events.join_leave"]
RECORDED = b"recorded" * 50
STATES = ["connecting", "connected", "disconnecting", "post_processing", "ended"]


@pytest.fixture(scope="module")
def otlp():
    with collecting() as otlp:
        yield otlp


@pytest.fixture(scope="module")
def house(topics_ready, clickhouse, otlp, tmp_path_factory):
    env = PATIENT | topics_ready | {"RTMS_WEBHOOKS_ALLOW_LOOPBACK": "true", "RTMS_OTEL_ENDPOINT": otlp.url}
    with open_house(env, clickhouse.url, tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="module")
def sink(house):
    env = house.env | {"RTMS_SINK_WEBHOOKS_TIMEOUT_S": str(2 * PATIENCE_S)}
    with running(["-m", "sinks", "webhooks"], env, house.api.log.with_name("webhooks.log")) as server:
        yield server


def until(condition, what, timeout_s=PATIENCE_S):
    wait_for(condition, timeout_s, lambda: f"not in time: {what}")


def subscribe(tenant, url, triggers=ALL):
    answer = tenant.http.post("/webhooks", json={"url": url, "triggers": triggers})
    assert answer.status_code == 201, answer.text
    return answer.json()


def meet(house, session_id):
    """A whole session: somebody comes, says two things, and there is a recording."""
    epoch = house.others.connect(session_id)
    said = [
        Utterance(session_id=session_id, kind=OutputKind.ITEM, utterance_id=f"utt_{n}", engine="zoom",
                  text=f"Grüße {n}", participant_id=7, participant_name="Ada", start_ms=T0_MS + n, end_ms=T0_MS + n + 1)
        for n in range(2)
    ]  # fmt: skip
    came = [ParticipantEvent(session_id=session_id, kind=OutputKind.ITEM, event_id="pe_1", event="join",
                             participant_id=7, participant_name="Ada", timestamp_ms=T0_MS)]  # fmt: skip
    house.others.happen(session_id, came)
    house.others.say(session_id, said)
    house.others.disconnect(session_id, epoch)
    house.record(session_id, RECORDED, T0_MS)


def is_signed(told, secret):
    digest = hmac.new(base64.b64decode(secret), told.body, hashlib.sha256).digest()
    return told.headers["x-webhook-signature"] == base64.b64encode(digest).decode()


def test_the_sales_coach_creates_and_then_only_listens(house, sink, otlp):
    """Never calls `end`; is told everything, once, in order, signed; on `ended` media and transcript can be fetched."""
    tenant, fetched = house.tenant("coach"), []

    def on_told(told):
        if told.json["trigger"] == "bot.state_change" and told.data["new_state"] == "ended":
            path = f"/app_sessions/{told.json['app_session_id']}"
            media = tenant.http.get(f"{path}/media")
            fetched.append((httpx.get(media.json()["url"], trust_env=False, timeout=60).status_code,
                            len(tenant.http.get(f"{path}/transcript").json())))  # fmt: skip

    with receiving(Receiver(on_told=on_told)) as receiver:
        secret = subscribe(tenant, receiver.url)["secret"]
        session = tenant.create(metadata={"deal": "7"}).json()
        meet(house, session["id"])
        until(lambda: receiver.states() == STATES and len(receiver.told) == 8, f"eight told; see {sink.log}")
    assert fetched == [(200, 2)]
    assert all(is_signed(told, secret) for told in receiver.told)
    sequences = [told.json["sequence"] for told in receiver.told]
    assert sequences == list(range(8)), "in the order of their numbers"
    assert [int(told.headers["x-webhook-sequence"]) for told in receiver.told] == sequences
    keys = [told.json["idempotency_key"] for told in receiver.told]
    assert len(set(keys)) == 8
    assert {uuid.UUID(key).version for key in keys} == {4}
    for told in receiver.told:
        assert told.json.keys() == {"idempotency_key", "app_session_id", "app_session_metadata", "trigger", "data",
                                    "sequence"}  # fmt: skip
        assert told.json["app_session_metadata"] == {"deal": "7"}
        assert told.headers["content-type"] == "application/json"
        assert told.headers["webhook-id"] == told.json["idempotency_key"]
    change = next(told.data for told in receiver.told if told.json["trigger"] == "bot.state_change")
    assert change.keys() == {"event_type", "event_sub_type", "event_metadata", "old_state", "new_state", "created_at"}
    assert (change["old_state"], change["event_sub_type"]) == ("ready", None)
    assert change["created_at"].endswith("+00:00")
    words = [told.data for told in receiver.told if told.json["trigger"] == "transcript.update"]
    assert [word["transcription"]["transcript"] for word in words] == ["Grüße 0", "Grüße 1"]
    [joined] = [told.data for told in receiver.told if told.json["trigger"] == "participant_events.join_leave"]
    assert (joined["event_type"], joined["participant_name"]) == ("join", "Ada")
    check_trace(otlp, receiver, session["id"])


def test_the_notetaker_fetches_when_it_is_told_that_it_is_over(house, sink):
    """It forwards what Zoom posts, also twice as Zoom does, and ends the session when Zoom says so."""
    tenant, payload, fetched = house.tenant("notetaker"), stream(), []
    forward = lambda path: tenant.http.post(path, json={"zoom_rtms": payload})  # noqa: E731

    def on_told(told):
        if told.json["data"]["new_state"] == "ended":
            path = f"/app_sessions/{told.json['app_session_id']}"
            file = httpx.get(tenant.http.get(f"{path}/media").json()["url"], trust_env=False, timeout=60)
            fetched.append((file.content, tenant.http.get(f"{path}/transcript").json()))

    with receiving(Receiver(on_told=on_told)) as receiver:
        subscribe(tenant, receiver.url, ["bot.state_change"])
        made = [forward("/app_sessions") for _ in range(2)]
        assert [answer.status_code for answer in made] == [201, 201]
        [session_id] = {answer.json()["id"] for answer in made}
        meet(house, session_id)
        until(lambda: receiver.states() == STATES, f"all states; see {sink.log}")
        payload["stop_reason"] = 6
        assert [forward("/app_sessions/end").status_code for _ in range(2)] == [200, 200]
    [(media, said)] = fetched
    assert media == RECORDED
    assert [(entry["speaker_name"], entry["transcription"]["transcript"]) for entry in said] == [
        ("Ada", "Grüße 0"), ("Ada", "Grüße 1"),
    ]  # fmt: skip


def check_trace(otlp, receiver, session_id):
    """Each delivery says whose trace it is, and is a span of that."""
    assert {told.headers["traceparent"] for told in receiver.told} == {traceparent(session_id)}
    until(lambda: len(delivered(otlp, session_id)) == 8, "a span for each delivery")
    assert {span.attributes["answer"] for span in delivered(otlp, session_id)} == {"200"}


def delivered(otlp, session_id):
    """The spans of deliveries; one that the collector did not answer in time is sent again, with the same id."""
    found = {span.span_id: span for span in otlp.of(f"{trace_id(session_id):032x}") if span.name == "deliver"}
    return list(found.values())


def test_chat_and_who_speaks_are_told_to_those_who_want_it(house, sink):
    tenant = house.tenant("chat")
    with receiving() as receiver:
        subscribe(tenant, receiver.url, ["chat_messages.update", "participant_events.speech_start_stop"])
        session_id = tenant.create().json()["id"]
        wrote = [
            chat(session_id, 5, 1, T0_MS, "m1", "helo"), chat(session_id, 5, 2, T0_MS + 1500, "m1", "hello", "update"),
            chat(session_id, 5, 3, T0_MS + 1600, "m1", "", "delete"),
        ]  # fmt: skip
        spoke = [
            record(session_id, RecordKind.BEGIN, 5, 0, T0_MS, SPEECH),
            event(session_id, 5, 1, T0_MS, "active_speaker_changed", 7, "Ada"),
            record(session_id, RecordKind.END, 5, 2, T0_MS + 900),
        ]
        happened = told_of(session_id, topics.CHAT.name, wrote) + told_of(session_id, topics.EVENTS.name, spoke)
        for _ in range(2):  # as after a crash
            house.others.happen(session_id, happened)
        until(lambda: len(receiver.told) == 5, f"five told; see {sink.log}")
        came = {told.json["data"]["event_type"]: told.data for told in receiver.told[3:]}
    written = [told.data for told in receiver.told[:3]]
    assert [told.json["trigger"] for told in receiver.told] == [
        *["chat_messages.update"] * 3, *["participant_events.speech_start_stop"] * 2,
    ]  # fmt: skip
    assert [(data["text"], data["additional_data"]["revision"]) for data in written] == [
        ("helo", 0), ("hello", 1), ("", 2),
    ]  # fmt: skip
    assert {data["id"] for data in written} == {ids.chat_message_id(session_id, "m1")}
    assert {(data["timestamp_ms"], data["timestamp"]) for data in written} == {(T0_MS, T0_MS // 1000)}
    assert written[2]["additional_data"]["is_deleted"] is True
    assert came["speech_start"]["event_data"] == {}
    assert (came["speech_start"]["participant_name"], came["speech_stop"]["timestamp_ms"]) == ("Ada", T0_MS + 900)
    listed = f"/app_sessions/{session_id}/participant_events"
    until(lambda: len(tenant.http.get(listed).json()["results"]) == 2, "both as rows")
    kinds = {item["event_type"] for item in tenant.http.get(listed).json()["results"]}
    assert kinds == {"speech_start", "speech_stop"}


def test_a_sessions_own_webhooks_stand_in_place_of_the_projects(house, sink):
    tenant = house.tenant("own")
    with receiving() as projects, receiving() as own:
        subscribe(tenant, projects.url)
        hooks = [{"url": own.url, "triggers": ["bot.state_change"]}]
        session = tenant.create(webhooks=hooks).json()
        meet(house, session["id"])
        until(lambda: own.states() == STATES, "all states")
        other = tenant.create().json()
        until(lambda: projects.told, "the other session")
    assert {told.json["app_session_id"] for told in projects.told} == {other["id"]}
    assert {told.json["trigger"] for told in own.told} == {"bot.state_change"}


def test_one_that_never_answers_delays_nobody_else(house, sink):
    """The sink would wait for it for twice as long as the quick one is given."""
    tenant, asked, over = house.tenant("slow"), [], threading.Event()

    def never(told):
        asked.append(told)
        over.wait()

    with receiving(Receiver(on_told=never)) as slow, receiving() as quick:
        subscribe(tenant, slow.url)
        subscribe(tenant, quick.url)
        sessions = [tenant.create().json()["id"] for _ in range(40)]
        try:
            until(lambda: {told.json["app_session_id"] for told in quick.told} == set(sessions), "the quick one")
            assert slow.told == []
            assert 0 < len(asked) < len(sessions)
        finally:
            over.set()


def test_a_receiver_that_is_away_misses_nothing_though_the_sink_is_killed(house, sink):
    tenant, receiver = house.tenant("away"), Receiver()
    with receiving(receiver):
        subscribe(tenant, receiver.url, ["bot.state_change"])
    session = tenant.create().json()
    house.others.connect(session["id"])
    until(lambda: attempts(tenant, session["id"]), "a first attempt that failed")
    sink.kill()
    with receiving(receiver):  # before the sink: an attempt that finds nobody has the next one wait a minute
        sink.start()
        until(lambda: receiver.states() == ["connecting", "connected"], "both", 120)
    assert [told.json["sequence"] for told in receiver.told] == [0, 1]


def attempts(tenant, session_id):
    listed = tenant.http.get("/webhook_deliveries", params={"app_session_id": session_id})
    if listed.status_code != 200:
        return []
    return [attempt for entry in listed.json()["results"] for attempt in entry["attempts"]]


def empty(clickhouse, delivery_id):
    """As the ClickHouse sink does when what was told is deleted."""
    database = ClickHouse(ClickHouseSettings(url=clickhouse.url))
    sql = "SELECT document, _partition, _offset FROM webhook_deliveries WHERE delivery_id = {id:String}"
    [row] = database.query(sql, {"id": delivery_id})
    left = emptied(msgspec.json.decode(row["document"], type=WebhookDelivery))
    at = Position(row["_partition"], row["_offset"] + 1, 0)
    database.insert(WEBHOOK_DELIVERIES, [row_of(left, at)[1]])
    database.close()


def test_deliveries_are_listed_and_made_again(house, sink, clickhouse):
    tenant = house.tenant("listed")
    with receiving(Receiver(status=404)) as receiver:
        subscription = subscribe(tenant, receiver.url, ["bot.state_change"])
        session = tenant.create().json()
        until(lambda: attempts(tenant, session["id"]), "an attempt")
        listed = tenant.http.get("/webhook_deliveries", params={"app_session_id": session["id"]}).json()["results"]
        [delivery] = listed
        assert delivery["status"] == "pending"
        first = delivery["attempts"][0]
        assert (first["status_code"], first["error"], first["response"]) == (404, None, "heard")
        assert delivery["next_attempt_at"]
        assert delivery["payload"] == receiver.told[0].json
        receiver.status = 200
        told = len(receiver.told)
        resent = tenant.http.post(f"/webhook_deliveries/{delivery['id']}/resend")
        assert (resent.status_code, resent.json()) == (202, {"replayed": 1})
        until(lambda: len(receiver.told) > told, "told again")
        assert receiver.told[-1].body == receiver.told[0].body
        until(lambda: tenant.http.get(f"/webhook_deliveries/{delivery['id']}").json()["status"] == "delivered", "done")

        tried = lambda: tenant.http.get(f"/webhook_deliveries/{delivery['id']}").json()["attempts"]  # noqa: E731
        told, before = len(receiver.told), tried()
        everything = {"after": "2020-01-01T00:00:00Z", "before": "2100-01-01T00:00:00Z"}
        replayed = tenant.http.post("/webhook_deliveries/replay", json=everything | {"webhook_id": subscription["id"]})
        assert replayed.json() == {"replayed": 1}
        until(lambda: len(receiver.told) > told, "replayed")
        until(lambda: tried() not in ([], before), "written")
        empty(clickhouse, delivery["id"])
        refused = tenant.http.post(f"/webhook_deliveries/{delivery['id']}/resend")
        assert (refused.status_code, refused.json()) == (400, {"error": "What this delivery told is deleted."})
        replayed = tenant.http.post("/webhook_deliveries/replay", json=everything | {"webhook_id": subscription["id"]})
        assert replayed.json() == {"replayed": 0}
    for query, status in (({"status": "x"}, 400), ({"after": "x"}, 400), ({"cursor": "x"}, 404)):
        assert tenant.http.get("/webhook_deliveries", params=query).status_code == status
    assert tenant.http.post("/webhook_deliveries/replay", json={"after": "x", "before": "y"}).status_code == 400


def test_ping_and_two_secrets_that_overlap(house, sink):
    tenant = house.tenant("pinged")
    with receiving() as receiver:
        first = subscribe(tenant, receiver.url)
        path = f"/webhooks/{first['id']}"

        def pinged():
            told = len(receiver.told)
            assert tenant.http.post(f"{path}/ping").status_code == 202
            until(lambda: len(receiver.told) > told, "the ping")
            return receiver.told[-1]

        assert is_signed(pinged(), first["secret"])
        assert receiver.told[-1].json["trigger"] == "webhook.ping"
        second = tenant.http.post(f"{path}/rotate_secret").json()
        assert (second["secrets"], second["secret"] != first["secret"]) == (2, True)
        both = pinged()
        assert is_signed(both, second["secret"])
        previous = hmac.new(base64.b64decode(first["secret"]), both.body, hashlib.sha256).digest()
        assert both.headers["x-webhook-signature-previous"] == base64.b64encode(previous).decode()
        assert tenant.http.post(f"{path}/retire_secret").json()["secrets"] == 1
        assert "x-webhook-signature-previous" not in pinged().headers


def test_subscriptions_are_managed(house, sink):
    tenant = house.tenant("managed")
    made = subscribe(tenant, "https://example.com/a", ["bot.state_change"])
    path = f"/webhooks/{made['id']}"
    known = {key: value for key, value in made.items() if key != "secret"}
    assert tenant.http.get(path).json() == known
    assert tenant.http.get("/webhooks").json() == {"results": [known]}
    again = tenant.http.post("/webhooks", json={"url": "https://example.com/a", "triggers": ["bot.state_change"]})
    assert (again.status_code, again.json()) == (400, {"url": ["URL already subscribed"]})
    off = tenant.http.patch(path, json={"is_active": False, "triggers": ["transcript.update"]}).json()
    assert (off["is_active"], off["triggers"]) == (False, ["transcript.update"])
    for body in ({"url": "ftp://a"}, {"triggers": ["x"]}, {"is_active": 3}, {"x": 1}):
        assert tenant.http.patch(path, json=body).status_code == 400
    assert tenant.http.delete(path).status_code == 204
    assert tenant.http.get(path).status_code == 404
