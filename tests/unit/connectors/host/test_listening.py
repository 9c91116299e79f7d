"""The server of probes takes small posts and holds out against everything else; real sockets throughout."""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from structlog.testing import capture_logs

from connectors.host.listening import JSON, MAX_BODY_BYTES, PLACES, Answer, Headers, Listener, Paths

LIMIT_S = 1.5
PATIENCE_S = 60.0

hurried = pytest.mark.parametrize("port", [LIMIT_S], indirect=True)
"""For those who let the time run out; whoever does not has time on a busy machine as well."""


class Heard:
    """Keeps what was posted."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, headers: Headers, body: bytes) -> Answer:
        self.bodies.append(body)
        return Answer(200, JSON, headers.get("x-name", "").encode())


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def port(heard: Heard, request: pytest.FixtureRequest) -> Iterator[int]:
    paths = Paths({"/livez": lambda: Answer(200, JSON, b"{}")})
    paths.posts["/said"] = heard
    server = Listener(("127.0.0.1", 0), paths, getattr(request, "param", PATIENCE_S))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE_S)


def said(port: int, data: bytes) -> bytes:
    """Everything that comes back."""
    with connect(port) as line:
        line.sendall(data)
        return until_closed(line)


def drip(line: socket.socket) -> None:
    """Until nobody takes it any more."""
    while True:
        line.sendall(b"x")
        time.sleep(LIMIT_S / 10)


def until_closed(line: socket.socket) -> bytes:
    found = b""
    while piece := line.recv(65_536):
        found += piece
    return found


def lives(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False, timeout=PATIENCE_S).status_code == 200


def test_a_body_arrives_with_its_headers_and_the_answer_comes_back(port: int, heard: Heard) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/said?x=1",
        content=b"a" * MAX_BODY_BYTES,
        headers={"X-Name": "n"},
        trust_env=False,
        timeout=PATIENCE_S,
    )
    assert (answer.status_code, answer.text) == (200, "n")
    assert heard.bodies == [b"a" * MAX_BODY_BYTES]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /else HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 404),
        (b"POST /said HTTP/1.1\r\n\r\n", 411),
        (b"POST /said HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 411),
        (b"POST /said HTTP/1.1\r\nContent-Length: -2\r\n\r\n{}", 411),
        (b"POST /said HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n{}", 411),
        (b"POST /said HTTP/1.1\r\nContent-Length: 4097\r\n\r\n{}", 413),
        (b"POST /said HTTP/1.1\r\nContent-Length: " + b"9" * 60_000 + b"\r\n\r\n{}", 413),
        (b"PUT /said HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 501),
        (b"POST /said HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"\x00\xff" * 50 + b"\r\n\r\n", 400),
    ],
)
def test_what_it_cannot_take_is_told_why_and_reaches_nobody(
    port: int, heard: Heard, request_: bytes, status: int
) -> None:
    assert f" {status} ".encode() in said(port, request_).partition(b"\r\n")[0] + b" "
    assert heard.bodies == []
    assert lives(port)


@hurried
def test_a_body_that_does_not_come_is_told_that_its_time_is_up(port: int, heard: Heard) -> None:
    assert b" 408 " in said(port, b"POST /said HTTP/1.1\r\nContent-Length: 20\r\n\r\n{}")
    assert heard.bodies == []
    assert lives(port)


def test_a_body_that_ends_too_early_is_none(port: int, heard: Heard) -> None:
    with connect(port) as line:
        line.sendall(b"POST /said HTTP/1.1\r\nContent-Length: 20\r\n\r\n{}")
        line.shutdown(socket.SHUT_WR)
        assert b" 400 " in until_closed(line)
    assert heard.bodies == []


def test_a_giant_body_is_refused_although_it_is_sent_to_the_end(port: int, heard: Heard) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/said", content=b"x" * 20_000_000, trust_env=False, timeout=PATIENCE_S)
    assert answer.status_code == 413
    assert heard.bodies == []


@hurried
def test_who_sends_one_byte_at_a_time_is_left_when_the_time_is_up(port: int, heard: Heard) -> None:
    since_s = time.monotonic()
    with connect(port) as line:
        line.sendall(b"POST /said HTTP/1.1\r\nContent-Length: 4000\r\n\r\n")
        with pytest.raises(ConnectionError):
            drip(line)
    assert time.monotonic() - since_s < PATIENCE_S, "the body would take ten times as long"
    assert heard.bodies == []
    assert lives(port)


@hurried
def test_a_crowd_that_says_nothing_is_held_for_a_moment_only(port: int) -> None:
    before = threading.active_count()
    lines = [connect(port) for _ in range(3 * PLACES)]
    try:
        assert threading.active_count() - before <= PLACES
        for line in lines:
            assert until_closed(line) == b""
    finally:
        for line in lines:
            line.close()
    assert lives(port)


@pytest.mark.parametrize(("error", "told"), [(BrokenPipeError, False), (ConnectionResetError, False), (KeyError, True)])
def test_who_has_gone_before_the_answer_is_nothing_to_be_told(error: type[Exception], told: bool) -> None:
    with capture_logs() as lines, Listener(("127.0.0.1", 0), Paths({})) as server:
        try:
            raise error
        except error:
            server.handle_error(None, None)
    assert bool(lines) == told


def test_who_goes_before_the_answer_disturbs_nobody(port: int, heard: Heard) -> None:
    with capture_logs() as lines:
        for _ in range(5):
            line = connect(port)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.sendall(b"POST /said HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
            line.close()  # with a reset
        assert lives(port)
    assert lines == []
