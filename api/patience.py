"""How long a connection may keep us waiting: uvicorn waits for ever for the rest of a request and for a reader.

A client that sends a request byte by byte, or reads a recording that slowly, costs a connection and little memory, but
without an end. Both ends are set here, beneath the app, where a connection can be cut whatever the app is doing.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.errors import too_slow
from connectors.host.logs import get_logger

log = get_logger(__name__)

MAX_MESSAGE_BYTES = 64 * 1024
"""Of what a WebSocket client may send, which is of no use here."""

_QUIET = logging.getLogger("uvicorn.websockets")
_QUIET.setLevel(logging.WARNING)

_RECEIVING = (h11.IDLE, h11.SEND_BODY)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a whole request to arrive, and for a reader to make room once nothing more fits."""

    receive_s: float
    send_s: float


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, with both."""

    def __init__(self, *arguments: Any, patience: Patience, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._patience = patience
        self._is_upgraded = False
        self._receiving: asyncio.TimerHandle | None = None
        self._sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """asyncio: a client is there."""
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes arrived."""
        super().data_received(data)
        if self.conn.their_state in _RECEIVING and not self._is_upgraded:
            self._await_request()
        elif self._receiving is not None:
            self._receiving.cancel()
            self._receiving = None

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """uvicorn: the connection is another protocol's from here on, and its request has arrived."""
        super().handle_websocket_upgrade(event)
        self._is_upgraded = True

    def pause_writing(self) -> None:
        """asyncio: nothing more fits until the client reads."""
        super().pause_writing()
        if self._sending is None:
            self._sending = self.loop.call_later(self._patience.send_s, self._nobody_reads)

    def resume_writing(self) -> None:
        """asyncio: the client has read."""
        super().resume_writing()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the client is gone."""
        for timer in (self._receiving, self._sending):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _await_request(self) -> None:
        """The time runs from the first byte on: more bytes do not buy more of it."""
        if self._receiving is None:
            self._receiving = self.loop.call_later(self._patience.receive_s, self._too_slow)

    def _too_slow(self) -> None:
        self._receiving = None
        if self.transport.is_closing():
            return
        log.info("client cut off", reason="its request did not arrive in time")
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_refusal())
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _nobody_reads(self) -> None:
        self._sending = None
        log.info("client cut off", reason="it does not read its answer")
        self.transport.abort()


class PatientSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, with the second one. It does not log addresses: they may hold a permission."""

    def __init__(self, *arguments: Any, patience: Patience, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger = _QUIET
        self._patience = patience
        self._sending: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """asyncio: nothing more fits until the client reads."""
        super().pause_writing()
        if self._sending is None:
            self._sending = self.loop.call_later(self._patience.send_s, self._nobody_reads)

    def resume_writing(self) -> None:
        """asyncio: the client has read."""
        super().resume_writing()
        self._read_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the client is gone."""
        self._read_again()
        super().connection_lost(exc)

    def _read_again(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None

    def _nobody_reads(self) -> None:
        self._sending = None
        log.info("client cut off", reason="it does not read its messages")
        self.transport.abort()


def _refusal() -> bytes:
    """The 408 as bytes: the app has no request yet that it could answer."""
    error = too_slow()
    body = json.dumps(error.body).encode()
    head = f"HTTP/1.1 {error.status} Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
