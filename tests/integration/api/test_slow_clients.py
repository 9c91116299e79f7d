"""Clients that send byte by byte, say nothing, read nothing or send too much: bounded time and memory, and nobody else
notices.
"""

import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace

import httpx
import pytest

from connectors.objects.signing import signed_url
from tests.integration.api.conftest import Home
from tests.support.house import House, Tenant, fetched
from tests.support.processes import PATIENCE_S, rss_bytes, wait_for

IMPATIENT_S, UNREAD_S = 3.0, 10.0
"""The API of these tests, for a request and for a reader; who reads and writes as fast as it can must not be late on a
busy machine, and reading takes a while."""

CROWD = 40
MIB = 1024 * 1024
MEMORY_BYTES = 64 * MIB
"""What a crowd of clients that mean no good may add to the API."""

TOO_SLOW = b'{"detail": "The request did not arrive in time."}'


@pytest.fixture(scope="module")
def house(house: House) -> Iterator[House]:
    """The house with an API of little patience."""
    patience = {"RTMS_API_RECEIVE_TIMEOUT_S": str(IMPATIENT_S), "RTMS_API_SEND_TIMEOUT_S": str(UNREAD_S)}
    with house.another(**patience) as (url, api):
        yield replace(house, url=url.removesuffix("/api/v1"), api=api)
    log = api.log.read_text()
    assert "request failed" not in log
    assert "Traceback" not in log


Connect = Callable[[bytes], socket.socket]


@pytest.fixture
def connect(house: House) -> Iterator[Connect]:
    """Opens a connection to the API, closed afterwards, and sends something at once: from there on its time runs."""
    port = int(house.url.rpartition(":")[2])
    with ExitStack() as stack:

        def connected(data: bytes) -> socket.socket:
            made = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
            made.sendall(data)
            return made

        yield connected


def head(tenant: Tenant) -> bytes:
    return (
        f"POST /api/v1/app_sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Token {tenant.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("how", ["nothing", "a head byte by byte", "a body byte by byte", "a body without a key"])
def test_who_does_not_send_a_whole_request_in_time_is_told_so_and_cut_off(
    house: House, tenant: Tenant, connect: Connect, how: str
) -> None:
    first, more = {
        "nothing": (b"", b""),
        "a head byte by byte": (b"GET /api/v1/app_sessions HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"x"),
        "a body byte by byte": (head(tenant), b" "),
        "a body without a key": (head(tenant).replace(b"Token", b"Basic"), b" "),
    }[how]
    before = rss_bytes(house.api)
    crowd = [connect(first) for _ in range(CROWD)]
    with ThreadPoolExecutor(CROWD) as pool:
        answers = [pool.submit(drip, connection, more) for connection in crowd]
        while not all(answer.done() for answer in answers):
            assert tenant.http.get("/app_sessions").status_code == 200, "others are served meanwhile"
    for answer in answers:
        text = answer.result()
        if how == "a body without a key":
            assert text.startswith(b"HTTP/1.1 401 "), text
        else:
            assert text.startswith(b"HTTP/1.1 408 Request Timeout\r\n"), text
            assert text.endswith(TOO_SLOW), text
    assert rss_bytes(house.api) - before < MEMORY_BYTES


def drip(connection: socket.socket, more: bytes) -> bytes:
    """Send bit by bit for as long as that goes; everything that was answered."""
    deadline = time.monotonic() + PATIENCE_S
    received = b""
    connection.settimeout(IMPATIENT_S / 10)
    while time.monotonic() < deadline:
        with suppress(OSError):  # who has been cut off can still read why
            connection.sendall(more)
        try:
            part = connection.recv(65536)
            if not part:
                return received
            received += part
        except TimeoutError:
            continue
        except OSError:
            return received
    raise AssertionError(f"not cut off: {received!r}")


def test_a_reader_that_stops_is_cut_off_and_others_go_on(house: House, connect: Connect) -> None:
    size = 64 * MIB
    key = "recordings/app_stalled/recording.mp4"
    path = house.objects / key
    path.parent.mkdir(parents=True)
    path.write_bytes(secrets.token_bytes(MIB) * 64)
    url = signed_url(
        f"{house.url}/objects", house.env["RTMS_OBJECTS_SIGNING_KEY"].encode(), key, int(time.time()) + 600
    )
    before, target = rss_bytes(house.api), url.removeprefix(house.url)
    cut_off_before = house.api.log.read_text().count("it does not read its answer")
    crowd = []
    for _ in range(CROWD):
        crowd.append(connect(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()))
        assert crowd[-1].recv(1000).startswith(b"HTTP/1.1 200 ")
    assert len(fetched(url).content) == size, "whoever reads gets all of it"
    wait_for(
        lambda: house.api.log.read_text().count("it does not read its answer") - cut_off_before == CROWD,
        PATIENCE_S,
        lambda: "those who do not read are still connected",
    )
    assert rss_bytes(house.api) - before < MEMORY_BYTES
    received = 0
    try:
        while part := crowd[0].recv(MIB):
            received += len(part)
    except ConnectionError:
        pass
    assert received < size


def test_a_crowd_of_giant_bodies_takes_no_memory(home: Home) -> None:
    """200 of what is just allowed, all refused for what they say, and 200 of what is not; by an API that has time."""
    house, tenant = home.house, home.house.tenant("giants")
    allowed = b'{"zoom_rtms": "' + b"x" * (MIB - 100) + b'"}'
    before = rss_bytes(house.api)
    json = {"Content-Type": "application/json"}

    def post(number: int) -> int:
        if number % 2:
            return tenant.http.post("/app_sessions", content=allowed, headers=json).status_code
        try:
            return tenant.http.post("/app_sessions", content=iter([allowed] * 4), headers=json).status_code
        except (httpx.WriteError, httpx.RemoteProtocolError):  # cut off while it was still sending
            return 413

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(400)))
    assert set(answers[1::2]) == {400}
    assert set(answers[::2]) == {413}
    assert rss_bytes(house.api) - before < MEMORY_BYTES


@pytest.mark.parametrize(
    "body", [b"ffff\r\nabc", b"zz\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n", b"fffffffffffffffffffff\r\nx"]
)
def test_chunks_that_are_none(tenant: Tenant, connect: Connect, body: bytes) -> None:
    chunked = head(tenant).replace(b"Content-Length: 500", b"Transfer-Encoding: chunked")
    connection = connect(chunked + body)
    connection.shutdown(socket.SHUT_WR)
    answer = drip(connection, b"")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    assert tenant.http.get("/app_sessions").status_code == 200
