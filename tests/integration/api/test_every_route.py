"""What the OpenAPI document promises, asked by everybody who may not and with everything that makes no sense.

Routes are taken from the document itself, so a new one is asked without anybody thinking of it.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.records import ApiKey
from tests.support.document import document
from tests.support.house import ADMIN_TOKEN, House, Tenant, stream
from tests.support.processes import ANSWER_S

FUZZ = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Route(NamedTuple):
    """One operation; `query` and `path_names` as the document names them."""

    method: str
    path: str
    query: tuple[str, ...]
    reads_body: bool

    @property
    def is_admins(self) -> bool:
        return self.path.startswith(("/api/v1/projects", "/api/v1/control_plane"))

    @property
    def is_customers(self) -> bool:
        return self.path.startswith("/api/") and not self.is_admins

    def filled(self, *values: str) -> str:
        given = iter(values)
        return re.sub(r"{([^}]*)}", lambda name: _value(name[1], given), self.path)


def _value(name: str, given: Iterator[str]) -> str:
    """For a parameter of a path: what is given for the first ones, then anything of its kind."""
    return quote(next(given, "1" if name.endswith("_ms") else "x"), safe="")


def _routes() -> list[Route]:
    return [
        Route(
            method.upper(),
            path,
            tuple(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"),
            "requestBody" in operation,
        )
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
    ]


ROUTES = _routes()
NAMES = [f"{route.method} {route.path}" for route in ROUTES]


@pytest.fixture(scope="module", autouse=True)
def nothing_broke(house: House):
    """No request of this module was a bug of ours."""
    yield
    log = house.api.log.read_text()
    assert "request failed" not in log
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def session_id(tenant: Tenant) -> str:
    return str(tenant.create("theirs").raise_for_status().json()["id"])


@pytest.fixture(scope="module")
def webhook_id(tenant: Tenant) -> str:
    given = {"url": "https://example.com/theirs", "triggers": ["bot.state_change"]}
    return str(tenant.http.post("/webhooks", json=given).raise_for_status().json()["id"])


@pytest.fixture(scope="module")
def disabled_key(house: House, tenant: Tenant) -> str:
    """A key of the tenant that was switched off, as the log says it."""
    secret = "d" * 32
    key = ApiKey(
        key_id="key_disabled",
        project_id=tenant.project_id,
        name="off",
        secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
        disabled=True,
        created_at_ms=1,
    )
    value = house.others.decoder.codec.encode(topics.API_KEYS, key)
    house.others.producer.send_blocking(topics.API_KEYS, key.key_id.encode(), value, 0)
    return secret


@pytest.fixture(scope="module")
def http(house: House) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=house.url, trust_env=False, verify=False, timeout=ANSWER_S) as client:
        yield client


def answered(http: httpx.Client, method: str, path: str, **request: Any) -> httpx.Response:
    """The answer; of a feed, which has no end as long as its session lives, the head alone."""
    with http.stream(method, path, **request) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
    return answer


def ask(http: httpx.Client, route: Route, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    body: dict[str, Any] = (
        {"content": json.dumps({"zoom_rtms": stream("theirs")})} if route.method in ("POST", "PATCH", "PUT") else {}
    )
    return answered(http, route.method, path, headers={"Content-Type": "application/json"} | (headers or {}), **body)


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_who_may_not_is_told_nothing(
    http: httpx.Client, tenant: Tenant, stranger: Tenant, session_id: str, webhook_id: str, disabled_key: str,
    route: Route,
) -> None:  # fmt: skip
    path = route.filled(webhook_id if "{webhook_id}" in route.path else session_id)
    wrong = [None, "", "Token", f"Bearer {tenant.key}", f"Token {tenant.key}x", f"Token {tenant.key[:-1]}",
             tenant.key, f"Token {disabled_key}", "Token " + "x" * 20_000,
             f"Token {ADMIN_TOKEN if route.is_customers else tenant.key}"]  # fmt: skip
    if not (route.is_admins or route.is_customers):
        assert ask(http, route, path).status_code in (403, 404), "no key is looked at; the signature is the permission"
        return
    for header in wrong:
        answer = ask(http, route, path, {} if header is None else {"Authorization": header})
        assert answer.status_code in (401, 431, 400), (header or "")[:50]
        assert session_id not in answer.text
    if route.is_customers:
        answer = ask(http, route, path, {"Authorization": f"Token {stranger.key}"})
        assert session_id not in answer.text
        assert tenant.project_id not in answer.text
        if "{" in route.path:
            assert answer.status_code == 404
            assert answer.json()["error"] in ("App session not found", "Bot not found", "Webhook not found",
                                              "Delivery not found")  # fmt: skip


TEXT = st.text(max_size=30) | st.sampled_from(
    ["app_0000000000000000", "..", "../../etc/passwd", "\x00", "a" * 3000, "0", "-1", "null", "%", "é", "'; DROP TABLE",
     "{session_id:String}", "WzAsICIiLCBmYWxzZV0", "2025-01-01T00:00:00Z", "99999-01-01T00:00:00Z"]
)  # fmt: skip
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63) - 1, 10**400])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["zoom_rtms", "metadata", "recording_settings", "transcription_settings", "zoom_app_id", "name", "client_id",
     "client_secret", "webhook_secret", "event", "payload", "rtms_stream_id", "server_urls"]
)  # fmt: skip
BODY = st.binary(max_size=300) | (JSON | st.dictionaries(FIELDS, JSON, max_size=5)).map(
    lambda v: json.dumps(v).encode()
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(
            ["application/json", "text/plain", "application/json; charset=utf-16", "", "/"]
        ),
        "Accept": st.sampled_from(["text/vtt", "*/*", "", ";;;", "application/json,text/vtt"]),
        "Range": st.sampled_from(["bytes=0-", "bytes=9-1", "bytes=-0", "chars=1", "bytes=99999999999999999999-"]),
        "Last-Event-ID": st.sampled_from(["0-0", "0-0-end", "-", "0-999999999999999999", "9" * 3000]),
        "Content-Encoding": st.sampled_from(["gzip", "br"]),
        "X-Forwarded-For": st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=20),
    },
)


@seed(20250101)
@FUZZ
@given(
    route=st.sampled_from(ROUTES),
    ids=st.lists(TEXT, min_size=2, max_size=2),
    query=st.data(),
    body=BODY,
    headers=HEADERS,
    own=st.booleans(),
)
def test_nothing_that_anybody_can_ask_is_a_fault_of_ours(
    http: httpx.Client, tenant: Tenant, session_id: str, route: Route, ids: list[str], query: st.DataObject,
    body: bytes, headers: dict[str, str], own: bool,
) -> None:  # fmt: skip
    token = ADMIN_TOKEN if route.is_admins else tenant.key
    names = st.sampled_from([*route.query, "x"])
    asked = query.draw(st.dictionaries(names, TEXT, max_size=3))
    values = [session_id if own else ids[0].encode(errors="replace").decode() or "x", ids[1]]
    answer = answered(
        http,
        route.method,
        route.filled(*(value.encode(errors="replace").decode() for value in values)),
        params={name: value.encode(errors="replace").decode() for name, value in asked.items()},
        content=body if route.method in ("POST", "PATCH", "PUT") else None,
        headers={"Authorization": f"Token {token}"} | headers,
    )
    assert answer.status_code < 500, (route, answer.text)
    if answer.is_error and route.method != "HEAD":
        assert answer.json(), "every refusal says why"


ODD = {
    "a list": (b"[]", 400), "a number": (b"17", 400), "a word": (b'"x"', 400), "null": (b"null", 400),
    "NaN": (b'{"zoom_rtms": NaN}', 400), "infinity": (b'{"zoom_rtms": 1e999}', 400),
    "deep": (b'{"zoom_rtms":' * 70 + b"1" + b"}" * 70, 400), "deeper": (b"[" * 100_000, 400),
    "nearly too deep to parse": (b'{"zoom_rtms":' + b"[" * 900 + b"]" * 900 + b"}", 400),
    "a huge number": (b'{"zoom_rtms":' + b"9" * 4000 + b"}", 400), "an endless one": (b"9" * 100_000, 400),
    "half a surrogate": (b'{"zoom_rtms":{"rtms_stream_id":"\\ud800"}}', 400), "not UTF-8": (b'{"\xff\xfe":1}', 400),
    "UTF-16": ('{"zoom_rtms":{}}'.encode("utf-16"), 400), "a byte order mark": (b"\xef\xbb\xbf{}", 400),
    "a key twice": (b'{"zoom_rtms":1,"zoom_rtms":2}', 400), "NULs": (b"\x00" * 100, 400),
    "a NUL in a string": (b'{"zoom_rtms":{"rtms_stream_id":"a\x00"}}', 400),
    "nothing": (b"", 400), "blanks": (b" \n\t", 400), "two documents": (b"{}{}", 400),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize(
    "route",
    [r for r in ROUTES if r.reads_body and not r.path.startswith("/zoom")],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_odd_bodies_are_refused_with_a_reason(
    http: httpx.Client, tenant: Tenant, session_id: str, webhook_id: str, route: Route, case: str
) -> None:
    data, status = ODD[case]
    if case in ("nothing", "blanks") and (route.method == "PATCH" or route.path.endswith("/template")):
        status = 200  # which changes nothing, or takes the defaults
    token = ADMIN_TOKEN if route.is_admins else tenant.key
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    own = webhook_id if "{webhook_id}" in route.path else session_id
    path = route.filled(tenant.project_id if route.is_admins else own)
    answer = http.request(route.method, path, content=data, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json() or answer.is_success
