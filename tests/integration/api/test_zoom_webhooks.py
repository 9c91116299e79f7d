"""Zoom's webhooks, taken directly: genuine ones only, each harmless however often and in whatever order it comes."""

import json
import time
import uuid

import httpx
import pytest

from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.rtms.protocol.signature import url_validation_answer, webhook_signature
from connectors.rtms.protocol.webhooks import LIMIT_EVENTS
from schemas import ids, topics
from schemas.ids import partition_of
from tests.support.house import ADMIN_TOKEN, HURRIED, fetched, stream
from tests.support.processes import PATIENCE_S, wait_for

SECRET = "zoom-secret-token"


@pytest.fixture(scope="module")
def app(house, tenant):
    """A Zoom app with a webhook secret; the tenant's only one."""
    admin = house.http(ADMIN_TOKEN)
    for known in admin.get(f"/projects/{tenant.project_id}/zoom_apps").json()["results"]:
        assert admin.delete(f"/projects/{tenant.project_id}/zoom_apps/{known['id']}").status_code == 204
    given = {"client_id": uuid.uuid4().hex, "client_secret": "s", "webhook_secret": SECRET}
    return admin.post(f"/projects/{tenant.project_id}/zoom_apps", json=given).raise_for_status().json()


def send(app, event, payload, *, secret=SECRET, age_s=0, meddle=lambda body: body):
    body = json.dumps({"event": event, "event_ts": 1, "payload": payload}).encode()
    timestamp = str(int(time.time()) - age_s)
    headers = {
        "x-zm-request-timestamp": timestamp,
        "x-zm-signature": webhook_signature(secret, timestamp, body),
        "content-type": "application/json",
    }
    return fetched(app["webhook_url"], "POST", content=meddle(body), headers=headers)


def session_of(tenant, payload):
    return tenant.http.get(f"/app_sessions/{ids.session_id(tenant.project_id, payload['rtms_stream_id'])}")


def state(tenant, payload):
    return session_of(tenant, payload).json().get("state")


def stopped_at_ms(house, session_id):
    """Since when lifecycle knows that Zoom has stopped the stream."""
    kafka = house.others.kafka
    loader = PartitionLoader(kafka)
    try:
        place = Place(topics.APP_SESSIONS.name, partition_of(session_id, kafka.partitions))
        values = [record.value for record in loader.load([place], PATIENCE_S) if record.key == session_id.encode()]
    finally:
        loader.close()
    return house.others.decoder.decode(topics.APP_SESSIONS, values[-1]).stopped_at_ms


def until(condition, what):
    wait_for(condition, PATIENCE_S, lambda: f"not in time: {what}")


def test_the_challenge_of_the_address_is_answered(app):
    answer = send(app, "endpoint.url_validation", {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"})
    expected = url_validation_answer(SECRET, "qgg8vlvZRS6UYooatFL8Aw")
    assert (answer.status_code, answer.json()) == (200, expected)


@pytest.mark.parametrize(
    "forged", [{"secret": "another"}, {"age_s": 400}, {"age_s": -400}, {"meddle": lambda body: body + b" "}]
)
def test_what_is_not_zooms_is_refused_and_does_nothing(tenant, app, forged):
    payload = stream()
    assert send(app, "meeting.rtms_started", payload, **forged).status_code == 401
    assert session_of(tenant, payload).status_code == 404


def test_nobodys_address(house, app):
    for url in (f"{house.url}/zoom/zoa_none", f"{house.url}/zoom/"):
        assert fetched(url, "POST", json={}).status_code == 404


PRODUCTS = {
    "meeting": "meeting_uuid", "webinar": "webinar_uuid", "session": "session_id",
    "contact_center": "engagement_id", "phone": "call_id",
}  # fmt: skip


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_started_stream_is_a_session_and_a_stopped_one_ends_it(tenant, app, product):
    payload = {key: value for key, value in stream().items() if key != "meeting_uuid"} | {PRODUCTS[product]: "m=="}
    named = f"{product}.voice_rtms" if product == "contact_center" else f"{product}.rtms"
    answer = send(app, f"{named}_started", payload)
    assert (answer.status_code, answer.json()) == (200, {"outcome": "requested"})
    until(lambda: state(tenant, payload) == "connecting", "the session")
    assert session_of(tenant, payload).json()["events"][0]["event_metadata"] == {"source": "zoom_webhook"}
    assert send(app, f"{named}_started", payload).status_code == 200
    assert send(app, f"{named}_interrupted", payload).json() == {"outcome": "left to the worker"}
    stopped = send(app, f"{named}_stopped", payload | {"stop_reason": 6})
    assert stopped.json() == {"outcome": "end requested"}
    until(lambda: state(tenant, payload) == "disconnecting", "the end")
    assert send(app, f"{named}_stopped", payload | {"stop_reason": 6}).status_code == 200
    assert [event["type"] for event in session_of(tenant, payload).json()["events"]] == [
        "app_session_connection_requested", "app_session_disconnect_requested",
    ]  # fmt: skip


def test_a_revoked_consent_deletes_the_data_whatever_state_the_session_is_in(house, tenant, app):
    running, over = stream(), stream()
    for payload in (running, over):
        send(app, "meeting.rtms_started", payload)
        until(lambda payload=payload: state(tenant, payload) == "connecting", "the session")
    house.finish(session_of(tenant, over).json()["id"])
    until(lambda: state(tenant, over) == "ended", "the end")
    revoked = {"stop_reason": 8}
    assert send(app, "meeting.rtms_stopped", running | revoked).json() == {"outcome": "end requested"}
    assert send(app, "meeting.rtms_stopped", over | revoked).json() == {"outcome": "already over"}
    until(lambda: state(tenant, over) == "data_deleted", "the deletion")
    until(lambda: state(tenant, running) == "disconnecting", "the end")
    for payload in (running, over):
        path = f"/app_sessions/{session_of(tenant, payload).json()['id']}/data_deletion"
        assert tenant.http.get(path).json()["reason"] == "consent_revoked"


def test_a_stop_that_zoom_may_take_back_is_left_to_the_worker_and_told(house, tenant, app):
    payload = stream()
    send(app, "meeting.rtms_started", payload)
    until(lambda: state(tenant, payload) == "connecting", "the session")
    assert send(app, "meeting.rtms_stopped", payload | {"stop_reason": 13}).json() == {"outcome": "left to the worker"}
    session = session_of(tenant, payload).json()["id"]
    until(lambda: stopped_at_ms(house, session), "nobody knows that it has stopped")
    assert state(tenant, payload) == "connecting"


def test_a_stop_before_its_start_is_nothing(tenant, app):
    payload = stream()
    assert send(app, "meeting.rtms_stopped", payload).json() == {"outcome": "already over"}
    assert session_of(tenant, payload).status_code == 404


@pytest.mark.parametrize("first", ["relay", "zoom"])
def test_a_relay_and_zoom_itself_make_one_session_with_the_callers_word(house, tenant, app, first):
    admin, payload = house.http(ADMIN_TOKEN), stream()
    template = {"recording_settings": {"format": "none"}, "metadata": {"from": "template"}}
    put = admin.put(f"/projects/{tenant.project_id}/template", json=template)
    assert (put.status_code, put.json()) == (200, template)

    def relay():
        return tenant.http.post("/app_sessions", json={"zoom_rtms": payload, "metadata": {"from": "caller"}})

    def zoom():
        return send(app, "meeting.rtms_started", payload)

    for ask in (relay, zoom) if first == "relay" else (zoom, relay):
        assert ask().is_success
    until(lambda: session_of(tenant, payload).json().get("metadata") == {"from": "caller"}, "the caller's word")
    assert len(session_of(tenant, payload).json()["events"]) == 1
    admin.put(f"/projects/{tenant.project_id}/template", json={})


def test_what_cannot_be_used_is_no_reason_to_ask_again(tenant, app):
    elsewhere = stream() | {"server_urls": "wss://evil.example.com"}
    assert send(app, "meeting.rtms_started", elsewhere).json() == {"outcome": "address not allowed"}
    assert session_of(tenant, elsewhere).status_code == 404
    assert send(app, "meeting.rtms_started", {}).json() == {"outcome": "unusable"}
    assert send(app, "meeting.ended", {}).json() == {"outcome": "ignored"}
    for limit in LIMIT_EVENTS:
        assert send(app, limit, {}).json() == {"outcome": "noted"}


def test_while_kafka_is_away_zoom_is_to_ask_again(house, tenant, app, kafka):
    payload, path = stream(), httpx.URL(app["webhook_url"]).path
    with house.replica(**HURRIED) as url:
        hurried = {"webhook_url": f"{url.removesuffix('/api/v1')}{path}"}
        kafka.stop()
        try:
            assert send(hurried, "meeting.rtms_started", payload).status_code == 503
        finally:
            kafka.start()
    until(lambda: send(app, "meeting.rtms_started", payload).status_code == 200, "still refused")

    def is_made():
        house.revive()
        return state(tenant, payload) == "connecting"

    until(is_made, "no session")
