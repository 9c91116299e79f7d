"""What the API says while something behind it is away: the truth, or "try again"; never a wrong "not found"."""

import os
import signal
import threading

import pytest

from deploy.local.ports import free_ports
from schemas import ids
from tests.support.house import ADMIN_TOKEN, HURRIED, fetched, stream
from tests.support.processes import PATIENCE_S, running, wait_for

BREAKABLE_API = """
import signal
from api import __main__, connections
from tests.support.broken_clients import break_for_good

create, made = connections.create_producer, []

def create_producer(*arguments):
    made.append(create(*arguments))
    return made[-1]

connections.create_producer = create_producer
signal.signal(signal.SIGUSR1, lambda *_: [break_for_good(producer) for producer in made])
raise SystemExit(__main__.main())
"""
"""The API as it is, with a signal that breaks its producer the way a broker could."""


@pytest.fixture(scope="module")
def hurried(house, tenant):
    """The tenant at a replica that says soon that it cannot answer now: the house's own waits for a busy machine."""
    with house.replica(**HURRIED) as url:
        yield lambda method, path, token=tenant.key, **given: fetched(
            f"{url}{path}", method, headers={"Authorization": f"Token {token}"}, **given
        )


def created(hurried, stream_id=None):
    return hurried("POST", "/app_sessions", json={"zoom_rtms": stream(stream_id)})


def is_known(hurried, path):
    wait_for(lambda: hurried("GET", path).status_code == 200, PATIENCE_S, lambda: "the replica does not know it")


def is_listed(hurried, session_id):
    """ClickHouse is asked for that, which is there, and may be too slow for somebody in a hurry."""
    answer = hurried("GET", "/app_sessions")
    return answer.is_success and session_id in [session["id"] for session in answer.json()["results"]]


def refused_for_now(answer):
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"] == "1"
    return answer.json()["error"]


def test_lifecycle_away(house, tenant, hurried):
    house.lifecycle.stop()
    try:
        error = refused_for_now(created(hurried, "while lifecycle was away"))
        assert error == "The request is recorded but not carried out yet. Try again."
    finally:
        house.lifecycle.start()
    made = tenant.create("while lifecycle was away")
    assert made.status_code == 201
    assert [event["type"] for event in made.json()["events"]] == ["app_session_connection_requested"]


def test_clickhouse_away(tenant, hurried, clickhouse):
    session_id = tenant.create("while clickhouse was away").json()["id"]
    path = f"/app_sessions/{session_id}"
    is_known(hurried, path)
    clickhouse.stop()
    try:
        for route in ("/transcript", "/participant_events"):
            assert refused_for_now(hurried("GET", path + route)) == "The answer cannot be read now. Try again."
        refused_for_now(hurried("GET", "/app_sessions"))
        assert tenant.http.get(path).status_code == 200, "a session's state needs no ClickHouse"
        refused_for_now(hurried("GET", "/app_sessions/app_none/transcript"))  # it may be archived
        assert tenant.create().status_code == 201, "a new session needs no ClickHouse"
    finally:
        clickhouse.start()
    wait_for(
        lambda: tenant.http.get(f"{path}/transcript").status_code == 200,
        PATIENCE_S,
        lambda: "no answer after the outage",
    )
    assert tenant.http.get("/app_sessions").status_code == 200
    assert tenant.http.get("/app_sessions/app_none/transcript").status_code == 404


def test_kafka_away(house, tenant, hurried, kafka):
    session_id = tenant.create("while kafka was away").json()["id"]
    path = f"/app_sessions/{session_id}"
    is_known(hurried, path)
    kafka.stop()
    try:
        refused_for_now(created(hurried, "another"))
        refused_for_now(hurried("GET", "/app_sessions/app_0000000000000000"))
        refused_for_now(hurried("GET", f"{path}/media"))
        refused_for_now(hurried("GET", "/app_sessions", token="unknown"))
        refused_for_now(hurried("POST", "/projects", token=ADMIN_TOKEN, json={"name": "x"}))
        assert hurried("GET", path).status_code == 200
        wait_for(lambda: is_listed(hurried, session_id), PATIENCE_S, lambda: "it is not listed")
    finally:
        kafka.start()
    assert house.api.exit_code() is None
    assert house.sink.exit_code() is None

    def goes_on():
        house.revive()
        return tenant.create("another").status_code == 201

    wait_for(goes_on, PATIENCE_S, lambda: "no session after the outage")
    assert tenant.http.get("/app_sessions/app_0000000000000000").status_code == 404


def test_replicas_agree_at_once(house, tmp_path):
    """What one replica has answered, another one knows and lists: no 404 and no 401 in between."""
    port, tenant = free_ports(1)[0], house.tenant("agreeing")
    with running(["-m", "api"], house.env | {"RTMS_API_PORT": str(port)}, tmp_path / "second.log"):
        for number in range(20):
            made = tenant.create(f"seen by both {number}").json()
            listed = tenant.http.get(f"http://127.0.0.1:{port}/api/v1/app_sessions").json()["results"]
            assert [session["id"] for session in listed[number:]] == [made["id"]], "a list misses nothing"
            path = f"http://127.0.0.1:{port}/api/v1/app_sessions/{made['id']}"
            assert tenant.http.get(path).json()["id"] == made["id"]
        fresh = house.tenant("fresh")
        base = f"http://127.0.0.1:{port}/api/v1/app_sessions"
        assert fresh.http.get(base).status_code == 200
        made = fresh.http.post(base, json={"zoom_rtms": {"meeting_uuid": "m", "rtms_stream_id": "s",
                                                         "server_urls": "wss://a.zoom.us"}})  # fmt: skip
        assert made.status_code == 201


def test_many_at_once_are_one_session(house, tenant):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(tenant.create("crowd"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["id"] for answer in answers} == {ids.session_id(tenant.project_id, "crowd")}
    assert all(len(answer.json()["events"]) == 1 for answer in answers)


def test_a_restart_forgets_nothing_and_stops_cleanly(house, tenant):
    session_id = tenant.create("before the restart").json()["id"]
    house.api.stop()
    assert "stopped" in house.api.log.read_text()
    house.api.start()
    assert tenant.http.get(f"/app_sessions/{session_id}").json()["id"] == session_id


def test_a_producer_that_is_broken_for_good_ends_the_process(house, tmp_path):
    """Nothing could be recorded any more, and a supervisor starts a successor that can."""
    port = free_ports(1)[0]
    with running(["-c", BREAKABLE_API], house.env | {"RTMS_API_PORT": str(port)}, tmp_path / "broken.log") as api:
        assert api.pid is not None
        os.kill(api.pid, signal.SIGUSR1)
        wait_for(lambda: api.exit_code() is not None, PATIENCE_S, lambda: f"it stays: {api.log}")
        assert api.exit_code() == 1
        assert "kafka client broken" in api.log.read_text()
