"""A simulator in the test's own loop, its pictures made once per session, and an endpoint that takes its webhooks."""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Rules
from connectors.rtms.simulator.server import ServerOptions, Simulator
from connectors.rtms.simulator.settings import SimulatorSettings
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.zoomclock import ZoomClock
from tests.integration.rtms_simulator.strict_client import WAIT_S, StrictClient

SECRET = "simulated-webhook-secret"
PATIENT = Rules(stale_picture_s=1e6)
"""However busy the machine is: no picture is dropped for being late."""


@pytest.fixture(scope="session")
def films() -> Path:
    """Where everybody keeps them: a film is named by all that shapes it, and is made once for all test processes."""
    return SimulatorSettings().cache


@pytest.fixture
async def simulate(films: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """`await simulate(speed=..., rules=..., **options)` → a running simulator, which waits for a slow machine."""
    monkeypatch.setattr("connectors.rtms.simulator.stream._LAST_FRAMES_S", WAIT_S)
    monkeypatch.setattr("connectors.rtms.simulator.webhooks._ANSWER_WITHIN_S", WAIT_S)
    async with AsyncExitStack() as stack:

        async def start(*, speed: float = 1.0, rules: Rules | None = None, **options: Any) -> Simulator:
            wanted = ServerOptions(rules=rules or PATIENT, cache=films, **options)
            return await stack.enter_async_context(Simulator(wanted, ZoomClock(speed=speed)))

        yield start


@pytest.fixture
async def clients() -> AsyncIterator[Callable[..., StrictClient]]:
    """`clients(simulator, stream, ...)` → a client that is closed after the test."""
    made: list[StrictClient] = []

    def make(simulator: Simulator, stream: Stream, **options: Any) -> StrictClient:
        identity = stream.identity
        made.append(
            StrictClient(simulator.signalling_url(stream), identity.meeting_uuid, identity.stream_id, **options)
        )
        return made[-1]

    yield make
    for client in made:
        await client.close()


class Endpoint:
    """Takes webhooks, checks their signature, answers as told."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refusals = 0
        self.forged = 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stamp = self.headers["x-zm-request-timestamp"]
                expected = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
                if self.headers["x-zm-signature"] != f"v0={expected}":
                    endpoint.forged += 1
                status = 200
                if endpoint.refusals > 0:
                    endpoint.refusals -= 1
                    status = 503
                else:
                    endpoint.taken.append(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/zoom"

    async def events(self, *names: str) -> list[dict[str, Any]]:
        """Wait until exactly these have been taken, in this order."""
        deadline = time.monotonic() + WAIT_S
        while (taken := [each["event"] for each in self.taken]) != list(names):
            assert time.monotonic() < deadline, f"taken were {taken}, not {list(names)}"
            await asyncio.sleep(0.025)
        return self.taken

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()
    yield found
    found.stop()


def short(**options: Any) -> MeetingRequest:
    """The meeting most tests play."""
    return MeetingRequest(**{"seed": 1, "seconds": 20} | options)
