"""Probes and metrics of one process: /livez, /readyz and /metrics from a thread of their own.

The thread answers whatever the rest of the process is doing, so liveness is not "can it answer" but "how long ago did
the working loop last beat". Readiness is a set of named conditions that must all hold.
"""

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from connectors.host.clock import Clock, SystemClock
from connectors.host.listening import JSON, Answer, Listener, Paths, Post
from connectors.host.settings import HealthSettings


@dataclass(frozen=True, slots=True)
class Condition:
    """One reason to be ready or not."""

    holds: bool
    reason: str


class Health:
    """What a process knows about itself, and the server that tells it. Starts as not ready."""

    def __init__(self, service: str, settings: HealthSettings | None = None, clock: Clock | None = None) -> None:
        self._service = service
        self._settings = settings or HealthSettings()
        self._clock = clock or SystemClock()
        self._conditions = {"service": Condition(False, "starting")}
        self._lock = threading.Lock()
        self._beat_at = self._clock.monotonic()
        self._paths = Paths({"/livez": self._livez, "/readyz": self._readyz, "/metrics": _metrics})
        self._server: Listener | None = None
        self._thread: threading.Thread | None = None

    def ready(self, is_ready: bool, reason: str = "", condition: str = "service") -> None:
        """State one condition; the process is ready while all of them hold."""
        with self._lock:
            self._conditions = {**self._conditions, condition: Condition(is_ready, reason)}

    def beat(self) -> None:
        """Say that the working loop got round; call it at least a few times per `max_beat_age_s`."""
        self._beat_at = self._clock.monotonic()

    def is_ready(self) -> bool:
        """Whether all conditions hold."""
        return all(condition.holds for condition in self._conditions.values())

    def is_alive(self) -> bool:
        """Whether the last beat is young enough; creation counts as the first."""
        return self._clock.monotonic() - self._beat_at <= self._settings.max_beat_age_s

    def live_report(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /livez."""
        age_s = round(self._clock.monotonic() - self._beat_at, 3)
        return (200 if self.is_alive() else 503), {"service": self._service, "beat_age_s": age_s}

    def ready_report(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /readyz."""
        conditions = {name: {"holds": c.holds, "reason": c.reason} for name, c in self._conditions.items()}
        return (200 if self.is_ready() else 503), {"service": self._service, "conditions": conditions}

    def take_posts(self, path: str, post: Post) -> None:
        """Answer what is sent to this path, too, from now on."""
        self._paths.posts[path] = post

    def _livez(self) -> Answer:
        status, report = self.live_report()
        return Answer(status, JSON, json.dumps(report).encode())

    def _readyz(self) -> Answer:
        status, report = self.ready_report()
        return Answer(status, JSON, json.dumps(report).encode())

    @property
    def port(self) -> int:
        """The port bound; 0 while not serving."""
        return int(self._server.server_address[1]) if self._server else 0

    def start(self, port: int | None = None) -> int:
        """Serve from a daemon thread, on `port` or the one configured; returns the port bound."""
        address = (self._settings.bind, self._settings.port if port is None else port)
        server = Listener(address, self._paths)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="health", daemon=True)
        self._thread.start()
        return self.port

    def stop(self) -> None:
        """Stop serving; harmless when it never started."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    async def serve(self, port: int | None = None) -> None:
        """Serve until cancelled."""
        self.start(port)
        try:
            await asyncio.Event().wait()
        finally:
            self.stop()


def _metrics() -> Answer:
    return Answer(200, CONTENT_TYPE_LATEST, generate_latest())
