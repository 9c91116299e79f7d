"""A small threaded HTTP/1.1 server for loopback: whole requests in, whole answers out, one segment each."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from deploy.local.ports import LOOPBACK

log = logging.getLogger("endpoint")
_BODY_LIMIT_BYTES = 512 * 1024 * 1024
_ENDING = (signal.SIGTERM, signal.SIGINT)
_FINISH_S = 10.0
_LOOK_S = 5.0
"""A signal that comes just before the wait for requests is seen when that is over, and no sooner."""


class Request(NamedTuple):
    """One request, read to its end. `path` is still percent-encoded; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    """One answer; the length is added when it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


Handler = Callable[[Request], Response]


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Endpoint

    def setup(self) -> None:
        connection: socket = self.request
        connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        super().setup()

    def _answer(self) -> None:
        with self.server.answering() as may_answer:
            if may_answer:
                self._answer_now()
            else:
                self.close_connection = True

    def _answer_now(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self._body()
        except ValueError as malformed:
            self.close_connection = True
            return self._send(Response(HTTPStatus.BAD_REQUEST, str(malformed).encode()))
        self._send(self._handled(Request(self.command, url.path, query, headers, body)))

    def _handled(self, request: Request) -> Response:
        try:
            return self.server.handler(request)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)  # a fault of ours; the connection goes on
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR, b"internal error, see the log")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _answer

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunked_body()
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _BODY_LIMIT_BYTES:
            raise ValueError("the body is too long")
        return self.rfile.read(length)

    def _chunked_body(self) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            if len(body) + size > _BODY_LIMIT_BYTES:
                raise ValueError("the body is too long")
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(body)

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        buffered: list[bytes] = getattr(self, "_headers_buffer", [])
        head = b"".join(buffered) + b"\r\n"
        buffered.clear()
        # Head and body in one write: two small segments would wait 40 ms for each other.
        self.wfile.write(head if self.command == "HEAD" else head + response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: bodies and addresses are nobody's business."""


class _Endpoint(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, handler: Handler) -> None:
        super().__init__((LOOPBACK, port), _Connection)
        self.handler = handler
        self._changed = threading.Condition()
        self._answering = 0
        self._is_closing = False

    @contextmanager
    def answering(self) -> Iterator[bool]:
        """Around one request; false when it is too late for it."""
        with self._changed:
            may_answer = not self._is_closing
            self._answering += may_answer
        try:
            yield may_answer
        finally:
            with self._changed:
                self._answering -= may_answer
                self._changed.notify_all()

    def finish(self) -> None:
        """Begin nothing more, and wait for what is being answered: whatever is behind the handler can then go."""
        with self._changed:
            self._is_closing = True
            if not self._changed.wait_for(lambda: self._answering == 0, _FINISH_S):
                log.warning("stopping although %d requests are not answered", self._answering)


def serve(port: int, handler: Handler) -> None:
    """Answer on the loopback port until SIGTERM or SIGINT; requests in flight are finished."""
    with _Endpoint(port, handler) as endpoint:

        def stop(_signal: int, _frame: object) -> None:
            for number in _ENDING:  # a supervisor and a terminal often send both, and the first one is being obeyed
                signal.signal(number, signal.SIG_IGN)
            raise SystemExit(0)

        for number in _ENDING:
            signal.signal(number, stop)
        try:
            endpoint.serve_forever(_LOOK_S)
        finally:
            endpoint.finish()
