"""A customer's receiver of webhooks: a real server that keeps what it was told and answers as it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from deploy.local.ports import free_ports
from tests.support.serving import serving


@dataclass
class Told:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def data(self) -> dict[str, Any]:
        return self.json["data"]  # type: ignore[no-any-return]


@dataclass
class Receiver:
    """`status` is what it answers; `on_told` is called before, and may take its time."""

    port: int = 0
    status: int = 200
    told: list[Told] = field(default_factory=list)
    on_told: Callable[[Told], None] = lambda _: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def states(self) -> list[str]:
        """The states that were told, in the order of telling."""
        return [told.data["new_state"] for told in self.told if told.json["trigger"] == "bot.state_change"]


@contextmanager
def receiving(given: Receiver | None = None) -> Iterator[Receiver]:
    """A receiver that listens: on any port, or on the one it had before, which nobody of ours was given meanwhile."""
    receiver = given or Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            told = Told(
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers["Content-Length"])),
            )
            receiver.on_told(told)
            receiver.told.append(told)
            self.send_response(receiver.status)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"heard")

        def log_message(self, format: str, *args: Any) -> None:
            return

    with serving(Handler, receiver.port or free_ports(1)[0]) as receiver.port:
        yield receiver
