"""A small HTTP server in threads of its own, which nobody can hold up: few connections at once, each for seconds."""

import io
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol

from connectors.host.clock import Clock, SystemClock
from connectors.host.logs import get_logger

log = get_logger(__name__)

PLACES = 64
"""Connections at once; who comes beside them is sent away unheard."""

LIMIT_S = 5.0
"""For one connection, from its beginning to the last byte of its request."""

MAX_BODY_BYTES = 4096

JSON = "application/json"
_PIECE = 65_536


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    content_type: str
    body: bytes


class Headers(Protocol):
    """Of a request; the case of their names does not matter."""

    def get(self, name: str, default: str, /) -> str: ...


Get = Callable[[], Answer]
Post = Callable[[Headers, bytes], Answer]
"""Called in a thread of the server, with the whole body."""


class Paths:
    """What is answered where; may grow while it is served."""

    def __init__(self, gets: Mapping[str, Get]) -> None:
        self.gets = dict(gets)
        self.posts: dict[str, Post] = {}


class Listener(ThreadingHTTPServer):
    """Serves `paths` at an address; raises OSError when nothing can listen there."""

    daemon_threads = True
    request_queue_size = PLACES

    def __init__(self, address: tuple[str, int], paths: Paths, limit_s: float = LIMIT_S) -> None:
        self.paths, self.limit_s = paths, limit_s
        self._places = threading.BoundedSemaphore(PLACES)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who has gone before the answer wants none: a probe in a hurry, or one that asked while we were frozen."""
        if not isinstance(sys.exception(), ConnectionError):
            log.warning("request not answered", exc_info=True)


class _Hurried(io.RawIOBase):
    """What comes over a connection until its time is up: then TimeoutError, however slowly somebody goes on."""

    def __init__(self, connection: socket.socket, clock: Clock, limit_s: float) -> None:
        self._connection, self._clock, self._until_s = connection, clock, clock.monotonic() + limit_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._until_s - self._clock.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        return self._connection.recv_into(buffer)


class _NoBody(Exception):
    """A body that is not taken, and the status that says why."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def refusal(status: int, error: str) -> Answer:
    """An answer that says in words what is wrong; `error` is nobody's input."""
    return Answer(status, JSON, f'{{"error": "{error}"}}'.encode())


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Hurried(self.connection, SystemClock(), self.server.limit_s))

    def do_GET(self) -> None:
        get = self.server.paths.gets.get(self.path.partition("?")[0])
        self._answer(get() if get else refusal(404, "no such path"))

    def do_POST(self) -> None:
        post = self.server.paths.posts.get(self.path.partition("?")[0])
        if post is None:
            self._refuse(refusal(404, "no such path"))
            return
        try:
            body = self._body()
        except _NoBody as error:
            self._refuse(refusal(error.status, str(error)))
            return
        self._answer(post(self.headers, body))

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            raise _NoBody(411, "the length of the body is not said")
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            raise _NoBody(413, f"more than {MAX_BODY_BYTES} bytes")
        try:
            body = self.rfile.read(int(length))
        except TimeoutError:
            raise _NoBody(408, "the body did not come in time") from None
        if len(body) < int(length):
            raise _NoBody(400, "the body is shorter than was said")
        return body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the library refuses before we are asked."""
        super().send_error(code, message, explain)
        self._pass_over()

    def _refuse(self, answer: Answer) -> None:
        self._answer(answer)
        self._pass_over()

    def _pass_over(self) -> None:
        """What is still sent, for a while: closing before it has come would take the answer along."""
        self.connection.shutdown(socket.SHUT_WR)
        while self.rfile.read1(_PIECE):
            pass

    def _answer(self, answer: Answer) -> None:
        self.connection.settimeout(self.server.limit_s)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        return
