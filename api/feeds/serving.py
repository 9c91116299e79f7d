"""Feeds on the wire: as server-sent events, and the same as WebSocket messages.

Either way the reader sets the pace: an event is only taken from its inbox when the one before has left.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass

from fastapi import WebSocket, WebSocketDisconnect
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from api.feeds.events import KEEP_ALIVE, Reason, as_message, as_sse, closing
from api.feeds.metrics import TOLD
from api.feeds.readers import Reader, Told, retry_ms
from connectors.host.clock import Clock

MEDIA_TYPE = EventSourceResponse.media_type

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_NORMAL, _TRY_AGAIN_LATER = 1000, 1013


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a feed is read: as long as `still_admitted`, with a sign of life every `keep_alive_s`."""

    still_admitted: Callable[[], bool]
    clock: Clock
    keep_alive_s: float


class EventStream(StreamingResponse):
    """The answer to a request for a feed; its reader has begun, and is closed when nobody listens any more."""

    media_type = MEDIA_TYPE

    def __init__(self, reader: Reader, terms: Terms) -> None:
        super().__init__(_as_bytes(reader, terms), headers=_HEADERS)
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reader.close()


async def event_stream(reader: Reader, terms: Terms) -> Response:
    """The feed as server-sent events; 204, which a browser takes as "do not come back", at its end. Raises ApiError."""
    is_begun = False
    try:
        is_begun = await reader.begin()
    finally:
        if not is_begun:
            reader.close()
    return EventStream(reader, terms) if is_begun else Response(status_code=204)


async def serve_socket(websocket: WebSocket, reader: Reader, terms: Terms) -> None:
    """The feed as WebSocket messages. Raises ApiError before the handshake is answered, and nothing later."""
    try:
        is_begun = await reader.begin()
        await websocket.accept()
        if not is_begun:
            await websocket.close(_NORMAL)
            return
        await _until_first(_send_all(websocket, reader, terms), _until_gone(websocket))
    finally:
        reader.close()


async def _told(reader: Reader, terms: Terms) -> Told:
    checked_s = terms.clock.monotonic()
    async for event in reader.events(terms.keep_alive_s):
        if terms.clock.monotonic() - checked_s >= terms.keep_alive_s:
            checked_s = terms.clock.monotonic()
            if not terms.still_admitted():
                yield closing(Reason.KEY_INVALID, retry_ms())
                return
        if event is not None:
            TOLD.labels(event.name).inc()
        yield event


async def _as_bytes(reader: Reader, terms: Terms) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=retry_ms())
    async for event in _told(reader, terms):
        yield KEEP_ALIVE if event is None else as_sse(event)


async def _send_all(websocket: WebSocket, reader: Reader, terms: Terms) -> None:
    """A sign of life needs no message: the server pings."""
    is_end = False
    with suppress(WebSocketDisconnect):
        async for event in _told(reader, terms):
            if event is not None:
                await websocket.send_text(as_message(event))
                is_end = event.is_end
        await websocket.close(_NORMAL if is_end else _TRY_AGAIN_LATER)


async def _until_gone(websocket: WebSocket) -> None:
    """Nothing that a client says means anything here, but that it leaves."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_first(*coroutines: Coroutine[None, None, None]) -> None:
    """Until one of them has ended; the others are not needed then."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
