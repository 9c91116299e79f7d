"""A small HTTP address to drive the simulator with from another process: start a meeting, ask for the truth.

    GET  /healthz                       the simulator runs
    POST /meetings                      start one: a scenario as JSON, or {"scenario": name of one}; {} is the usual one
    GET  /meetings                      all of them
    GET  /meetings/<stream id>          one
    GET  /meetings/<stream id>/truth    what was really sent so far
    GET  /meetings/<stream id>/frames   the same, frame by frame
    POST /meetings/<stream id>/faults   one more fault
    POST /meetings/<stream id>/stop     end it: {"reason": 6}
    POST /oauth/token                   as at Zoom: whether an app's credentials are good

It answers from a thread of its own; everything that concerns a meeting happens in the simulator's loop.
"""

import asyncio
import json
import re
import threading
from collections.abc import Awaitable, Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from connectors.rtms.protocol.codes import StopReason
from connectors.rtms.simulator import oauth, scenario_library, webhooks
from connectors.rtms.simulator.faults import read_fault, stop_reason_of
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.scenario import read_scenario
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream

_START_WITHIN_S = 600.0
_MAX_BODY_BYTES = 1024 * 1024
_PATH = re.compile(r"/meetings/(?P<stream_id>[^/]+)(?:/(?P<what>truth|frames|faults|stop))?")

Answer = tuple[int, Any]


class NotFound(LookupError):
    """There is no such path or stream."""


def describe(simulator: Simulator, stream: Stream) -> dict[str, Any]:
    """What a caller needs to know of a stream; `webhook` is what Zoom announces it with."""
    url = simulator.signalling_url(stream)
    announcement = webhooks.started(stream.identity, url)
    return {
        "rtms_stream_id": stream.identity.stream_id,
        "meeting_uuid": stream.identity.meeting_uuid,
        "server_urls": url,
        "start_ms": stream.meeting.start_ms,
        "end_ms": stream.meeting.end_ms,
        "state": stream.stream_state.name.lower(),
        "stop_reason": None if stream.stop_reason is None else stream.stop_reason.name.lower(),
        "ended": stream.ended.is_set(),
        "webhook": webhooks.body_of(
            webhooks.event_name(stream.identity, "started"),
            stream.meeting.start_ms,
            announcement,
            stream.webhook_shape,
        ),
    }


def whole_truth(simulator: Simulator, stream: Stream) -> dict[str, Any]:
    """A stream's description and its truth in one."""
    return describe(simulator, stream) | stream.truth.to_json()


def read_request(body: Any, usual: MeetingRequest) -> MeetingRequest:
    """A meeting to start from its JSON; what is left out is as in `usual`.

    Raises:
        ValueError: it makes no sense.
    """
    if not isinstance(body, dict):
        raise ValueError("the body is a JSON object")
    rest = {name: value for name, value in body.items() if name != "scenario"}
    if "scenario" in body:
        usual = scenario_library.load(str(body["scenario"]))
    return read_scenario(rest, usual)


class Control:
    """Serves from `start` to `stop`; create it in the simulator's loop. `usual` is the meeting of an empty request."""

    def __init__(self, simulator: Simulator, usual: MeetingRequest, host: str = "127.0.0.1", port: int = 0) -> None:
        self._simulator = simulator
        self._usual = usual
        self._loop = asyncio.get_running_loop()
        self._server = ThreadingHTTPServer((host, port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="control", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def credentials(self) -> tuple[str, str]:
        """The app's id and secret."""
        known = self._simulator.options.credentials
        return known.client_id, known.client_secret

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """The answer to a request, from any thread but the loop's."""
        done = asyncio.run_coroutine_threadsafe(self._answer(method, path, body), self._loop)
        return done.result(_START_WITHIN_S)

    async def _answer(self, method: str, path: str, body: Any) -> Answer:
        try:
            return await self._route(method, path)(body)
        except NotFound as error:
            return 404, {"error": str(error)}
        except ValueError as error:
            return 400, {"error": str(error)}

    def _route(self, method: str, path: str) -> Callable[[Any], Awaitable[Answer]]:
        fixed: dict[tuple[str, str], Callable[[Any], Awaitable[Answer]]] = {
            ("GET", "/healthz"): self._health,
            ("GET", "/meetings"): self._list,
            ("POST", "/meetings"): self._start,
        }
        if (method, path) in fixed:
            return fixed[method, path]
        match = _PATH.fullmatch(path)
        stream = self._simulator.streams.get(match["stream_id"]) if match else None
        if match is None or stream is None:
            raise NotFound(f"nothing at {method} {path}")
        return self._of_stream(method, match["what"] or "", stream)

    def _of_stream(self, method: str, what: str, stream: Stream) -> Callable[[Any], Awaitable[Answer]]:
        async def show(_body: Any) -> Answer:
            return 200, describe(self._simulator, stream)

        async def truth(_body: Any) -> Answer:
            return 200, whole_truth(self._simulator, stream)

        async def frames(_body: Any) -> Answer:
            return 200, stream.truth.frames_json()

        async def fault(body: Any) -> Answer:
            stream.schedule(read_fault(body))
            return 202, {}

        async def stop(body: Any) -> Answer:
            if not isinstance(body, dict):
                raise ValueError("the body is a JSON object")
            stream.stop(stop_reason_of(body.get("reason", int(StopReason.MEETING_ENDED))))
            return 202, {}

        routes = {("GET", ""): show, ("GET", "truth"): truth, ("GET", "frames"): frames,
                  ("POST", "faults"): fault, ("POST", "stop"): stop}  # fmt: skip
        if (method, what) not in routes:
            raise NotFound(f"nothing at {method} {what}")
        return routes[method, what]

    async def _health(self, _body: Any) -> Answer:
        return 200, {"running": sum(not stream.is_over for stream in self._simulator.streams.values())}

    async def _list(self, _body: Any) -> Answer:
        return 200, [describe(self._simulator, stream) for stream in self._simulator.streams.values()]

    async def _start(self, body: Any) -> Answer:
        stream = await self._simulator.start(read_request(body, self._usual))
        return 201, describe(self._simulator, stream)


def _length_in(headers: Message) -> int:
    """How long the body is; too long where nobody says so."""
    told = str(headers.get("Content-Length", "0"))
    is_told = told.isdecimal() and len(told) < 16 and "Transfer-Encoding" not in headers
    return int(told) if is_told else _MAX_BODY_BYTES + 1


def _handler(control: Control) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(*control.answer("GET", self.path, None))

        def do_POST(self) -> None:
            length = _length_in(self.headers)
            if length > _MAX_BODY_BYTES:
                self.close_connection = True  # what is behind it is not read
                self._reply(413, {"error": f"the body has a Content-Length, of at most {_MAX_BODY_BYTES} bytes"})
                return
            data = self.rfile.read(length)
            if self.path.partition("?")[0] == oauth.PATH:
                given = data.decode(errors="replace"), self.headers.get("Authorization") or ""
                self._reply(*oauth.answer(self.path, *given, control.credentials))
                return
            try:
                body = json.loads(data or b"{}")
            except (ValueError, RecursionError):
                self._reply(400, {"error": "the body is no JSON"})
                return
            self._reply(*control.answer("POST", self.path, body))

        def _reply(self, status: int, body: Any) -> None:
            data = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            return

    return Handler
