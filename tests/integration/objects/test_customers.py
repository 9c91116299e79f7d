"""A customer's bucket: a real S3 server, and storages that behave in every way there is."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx
import obstore
import pytest
from obstore.store import S3Store

from connectors.host.clock import SystemClock
from connectors.objects.customers import CopyFailed, CustomerBucket, Surroundings, Why
from connectors.webhooks.targets import PUBLIC, TargetPolicy
from deploy.local.ports import free_ports
from schemas.credentials import StorageAccess
from tests.support.s3_server import s3_server
from tests.support.serving import serving

HERE = TargetPolicy(allow_loopback=True)
DATA = bytes(range(256)) * 2000


def bucket(
    endpoint: str, name: str = "mine", policy: TargetPolicy = HERE, check: Callable[[], None] = lambda: None
) -> CustomerBucket:
    access = StorageAccess(access_key_id="AKIA1", access_key_secret="s3cret", endpoint_url=endpoint)
    return CustomerBucket(access, name, policy, Surroundings(SystemClock(), check))


def put(into: CustomerBucket, name: str = "a.mp4") -> None:
    into.put(name, (DATA[at : at + 100_000] for at in range(0, len(DATA), 100_000)), len(DATA), "video/mp4")


def why(into: CustomerBucket, name: str = "a.mp4") -> Why:
    with pytest.raises(CopyFailed) as failed:
        put(into, name)
    assert "s3cret" not in str(failed.value)
    return failed.value.why


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (port,) = free_ports(1)
    with s3_server(port, tmp_path_factory.mktemp("customer") / "s3.log", "mine") as url:
        yield url


@pytest.mark.parametrize("name", ["a.mp4", "a b/é~(1)+?#%&='.mp4", "x" * 1000, ".hidden/..two"])
def test_what_is_put_is_there_under_its_name_and_may_be_put_again(s3: str, name: str) -> None:
    for _ in range(2):
        put(bucket(s3), name)
    mine = S3Store(
        "mine", endpoint=s3, access_key_id="a", secret_access_key="s", region="us-east-1",
        virtual_hosted_style_request=False, client_options={"allow_http": True},
    )  # fmt: skip
    found = obstore.get(mine, name)
    assert (bytes(found.bytes()), found.attributes["Content-Type"]) == (DATA, "video/mp4")


def test_a_bucket_that_is_not_there(s3: str) -> None:
    assert why(bucket(s3, "nobodys")) is Why.BUCKET_NOT_FOUND


def test_what_is_announced_is_what_is_sent(s3: str) -> None:
    for length in (len(DATA) + 1, len(DATA) - 1):
        with pytest.raises(CopyFailed) as failed:
            bucket(s3).put("short.mp4", [DATA], length, "video/mp4")
        assert failed.value.why is Why.DIFFERS
    assert "short.mp4" not in httpx.get(f"{s3}/mine", trust_env=False, timeout=60).text


class Storage(BaseHTTPRequestHandler):
    """Answers a PUT and a HEAD as its subclass says."""

    put: tuple[int, str, dict[str, str]] = (200, "", {"ETag": "e"})
    head: tuple[int, str, dict[str, str]] = (200, "", {"ETag": "e", "Content-Length": str(len(DATA))})

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(*self.put)

    def do_HEAD(self) -> None:
        self._answer(*self.head)

    def _answer(self, status: int, code: str, headers: dict[str, str]) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode() if code else b""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "PUT":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"put": (403, "AccessDenied", {})}, Why.ACCESS_DENIED),
        ({"put": (403, "InvalidAccessKeyId", {})}, Why.CREDENTIALS_INVALID),
        ({"put": (403, "SignatureDoesNotMatch", {})}, Why.CREDENTIALS_INVALID),
        ({"put": (403, "", {})}, Why.ACCESS_DENIED),
        ({"put": (404, "NoSuchBucket", {})}, Why.BUCKET_NOT_FOUND),
        ({"put": (301, "PermanentRedirect", {"x-amz-bucket-region": "eu-west-1"})}, Why.WRONG_REGION),
        ({"put": (400, "AuthorizationQueryParametersError", {})}, Why.WRONG_REGION),
        ({"put": (307, "", {"Location": "http://169.254.169.254/latest/meta-data"})}, Why.REDIRECTED),
        ({"put": (400, "EntityTooLarge", {})}, Why.TOO_LARGE),
        ({"put": (400, "Nonsense", {})}, Why.REFUSED),
        ({"put": (503, "SlowDown", {})}, Why.UNAVAILABLE),
        ({"put": (429, "", {})}, Why.UNAVAILABLE),
        ({"head": (404, "", {})}, Why.BUCKET_NOT_FOUND),
        ({"head": (403, "", {})}, Why.ACCESS_DENIED),
        ({"head": (200, "", {"ETag": "e", "Content-Length": "7"})}, Why.DIFFERS),
        ({"head": (200, "", {"ETag": "f", "Content-Length": str(len(DATA))})}, Why.DIFFERS),
    ],
)
def test_every_answer_has_a_reason(answers: dict[str, Any], expected: Why) -> None:
    with serving(type("Answering", (Storage,), answers)) as port:
        assert why(bucket(f"http://127.0.0.1:{port}")) is expected


@contextmanager
def listening(answer: bytes = b"", every_s: float = 0.0) -> Iterator[int]:
    """A port that takes connections and reads nothing; it sends `answer` byte by byte."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            held = []
            while not over.is_set():
                try:
                    held.append(server.accept()[0])
                except TimeoutError:
                    continue
                for byte in answer:
                    if over.wait(every_s):
                        break
                    with suppress(ConnectionError):  # who was left in time
                        held[-1].send(bytes((byte,)))
            for connection in held:
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


class Hurried(SystemClock):
    """Twenty times as fast."""

    def monotonic(self) -> float:
        return 20 * time.monotonic()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000])
def test_who_hangs_or_dribbles_is_left_in_time(answer: bytes) -> None:
    with listening(answer, every_s=0.1) as port:
        access = StorageAccess(access_key_id="a", access_key_secret="s3cret", endpoint_url=f"http://127.0.0.1:{port}")
        into = CustomerBucket(access, "mine", HERE, Surroundings(Hurried(), lambda: None))
        assert why(into) is Why.TIMED_OUT


class Over(Exception):
    """It is time to leave off."""


def test_it_can_be_broken_off() -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked > 5:
            raise Over

    with listening() as port, pytest.raises(Over):
        put(bucket(f"http://127.0.0.1:{port}", check=check))


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://10.0.0.1", "https://localhost", "https://[::1]",
     "https://169.254.169.254", "http://s3.example.com", "https://[::ffff:10.0.0.1]"],
)  # fmt: skip
def test_what_is_not_public_is_not_connected_to(endpoint: str) -> None:
    assert why(bucket(endpoint, policy=PUBLIC)) is Why.TARGET_NOT_ALLOWED


def test_plain_http_is_no_tls_and_nobody_is_nobody(s3: str) -> None:
    assert why(bucket(s3.replace("http:", "https:"))) is Why.TLS_FAILED
    (port,) = free_ports(1)
    assert why(bucket(f"http://127.0.0.1:{port}")) is Why.UNREACHABLE
    assert why(bucket("https://" + "a" * 70 + ".example")) is Why.UNREACHABLE


def test_a_name_that_is_none_is_refused(s3: str) -> None:
    for name in ("../x", "a//b", "a/../../b"):
        assert why(bucket(s3), name) is Why.REFUSED
