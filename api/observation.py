"""Counts requests and their time by route, as ASGI middleware. Paths have ids in them, so they are never labels."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import LATENCY, REQUESTS
from connectors.host.clock import Clock

UNMATCHED = "unmatched"


class Observed:
    """Wraps an app."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_s, ended_s, status = self._clock.monotonic(), None, 500

        async def observed(message: Message) -> None:
            nonlocal status, ended_s
            if message["type"] == "http.response.start":
                status = message["status"]
                if (b"content-type", _FEED) in message["headers"]:
                    ended_s = self._clock.monotonic()  # how long somebody listens says nothing about us
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            route = getattr(scope.get("route"), "path", UNMATCHED)
            REQUESTS.labels(method, route, str(status)).inc()
            LATENCY.labels(method, route).observe((ended_s or self._clock.monotonic()) - started_s)


_FEED = b"text/event-stream; charset=utf-8"
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
