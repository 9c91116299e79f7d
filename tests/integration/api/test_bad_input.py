"""Whatever is sent, the answer is a clear refusal and the process goes on: never a 5xx."""

import json
import socket
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.house import ADMIN_TOKEN, fetched, stream
from tests.support.processes import PATIENCE_S

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["zoom_rtms", "metadata", "recording_settings", "transcription_settings", "webhooks", "event", "payload",
     "deduplication_key", "zoom_app_id", "name", "client_id", "client_secret"]
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def nothing_broke(house):
    """No request of this module was a bug of ours."""
    yield
    assert "request failed" not in house.api.log.read_text()
    assert "Traceback" not in house.api.log.read_text()


@pytest.fixture(scope="module")
def admin(house):
    return house.http(ADMIN_TOKEN)


def post(client, path, data, content_type="application/json"):
    return client.post(path, content=data, headers={"Content-Type": content_type})


@pytest.mark.parametrize("path", ["/app_sessions", "/app_sessions/end"])
class TestBodies:
    def test_bad_json(self, tenant, path):
        answer = post(tenant.http, path, b'{"zoom_rtms":')
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("JSON parse error - ")

    def test_other_types(self, tenant, path):
        answer = post(tenant.http, path, b"a=b", "text/plain")
        assert answer.status_code == 415
        assert answer.json() == {"detail": 'Unsupported media type "text/plain" in request.'}

    def test_lists(self, tenant, path):
        answer = post(tenant.http, path, b"[]")
        assert answer.status_code == 400
        text = "Invalid data. Expected a dictionary, but got list."
        assert answer.json() == {"non_field_errors": [text]}

    def test_nothing(self, tenant, path):
        answer = tenant.http.post(path)
        assert (answer.status_code, answer.json()) == (400, {"zoom_rtms": ["This field is required."]})

    def test_giants(self, tenant, path):
        announced = post(tenant.http, path, b" " * (1024 * 1024 + 1))
        assert announced.status_code == 413
        assert announced.json() == {"detail": "Request body is larger than 1048576 bytes."}

        def chunks():
            for _ in range(40):
                yield b" " * 65536

        try:
            assert tenant.http.post(path, content=chunks()).status_code == 413
        except (httpx.WriteError, httpx.RemoteProtocolError):
            pass  # the connection was closed before all of it was sent

    @SETTINGS
    @given(data=st.binary(max_size=200))
    def test_any_bytes(self, tenant, path, data):
        assert 400 <= post(tenant.http, path, data).status_code < 500


@SETTINGS
@given(body=st.dictionaries(FIELDS, JSON, max_size=4), good=st.booleans(), end=st.booleans())
def test_any_json(tenant, body, good, end):
    body = {"zoom_rtms": stream("fuzz")} | body if good else body
    answer = tenant.http.post("/app_sessions/end" if end else "/app_sessions", content=dumps(body))
    assert answer.status_code < 500, answer.text
    if answer.is_error:
        assert answer.json()


@SETTINGS
@given(name=st.sampled_from([*stream(), "event", "payload"]), value=JSON)
def test_any_stream(tenant, name, value):
    answer = tenant.http.post("/app_sessions", content=dumps({"zoom_rtms": stream("fuzz") | {name: value}}))
    assert answer.status_code < 500, answer.text


@SETTINGS
@given(body=JSON | st.dictionaries(FIELDS, JSON, max_size=4), path=st.sampled_from(["", "/x/api_keys", "/x/zoom_apps"]))
def test_any_control_plane_request(admin, body, path):
    answer = admin.post(f"/projects{path}", content=dumps(body))
    assert answer.status_code < 500, answer.text


QUERIES = st.sampled_from(
    ["cursor", "states", "after", "before", "updated_after", "engine", "format", "async_transcription_id"]
)


@SETTINGS
@given(query=st.dictionaries(QUERIES, st.text(max_size=30), max_size=3), route=st.integers(0, 3))
def test_any_query(tenant, query, route):
    session_id = tenant.create("queried").json()["id"]
    routes = ["", f"/{session_id}", f"/{session_id}/transcript", f"/{session_id}/participant_events"]
    safe = {name: value.encode(errors="replace").decode() for name, value in query.items()}
    assert tenant.http.get(f"/app_sessions{routes[route]}", params=safe).status_code < 500


@SETTINGS
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_id_and_link(house, tenant, name, signature):
    path = "/" + quote(name.encode(errors="replace") or b"x", safe="")
    assert tenant.http.get(f"/app_sessions{path}").status_code < 500
    links = {"expires": "1", "signature": signature.encode(errors="replace").decode()}
    assert fetched(f"{house.url}/objects{path}", params=links).status_code in (403, 404)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /api/v1/app_sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Token \xff\xfe\r\n\r\n",
        b"GET /objects/\xff?expires=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/app_sessions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/app_sessions HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 100 + b"\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_bytes_that_are_hardly_http(house, raw):
    port = int(house.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(raw)
        answer = connection.recv(100)
    assert answer.startswith((b"HTTP/1.1 4", b"")), answer
    assert not answer.startswith(b"HTTP/1.1 5"), answer


def test_a_client_that_leaves_in_the_middle_of_its_body(house, tenant):
    port = int(house.url.rpartition(":")[2])
    head = f"POST /api/v1/app_sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Token {tenant.key}\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{".encode())
    assert tenant.http.get("/app_sessions").status_code == 200


def dumps(value):
    """JSON as a careless client writes it: NaN, lone surrogates and all."""
    return json.dumps(value).encode()
