"""WebSockets by the I/O-free half of `websockets`: the conservative alternative, with the same behaviour.

The library's own asyncio connection queues messages for a reading task, which would let a pong overtake them; its
protocol object gives all events in their order.
"""

import asyncio
from typing import cast

from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import WebSocketURI, parse_uri

from connectors.rtms.transport.sockets import (
    Fragments,
    Listener,
    Socket,
    TransportOptions,
    connect_failure,
    hand_over,
)

_DATA = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})


class WebsocketsSocket(asyncio.Protocol):
    """One connection, as asyncio's protocol and as our socket."""

    def __init__(self, address: WebSocketURI, listener: Listener, options: TransportOptions) -> None:
        self._listener: Listener | None = listener
        self._options = options
        self._protocol = ClientProtocol(address, max_size=(None, options.max_frame_bytes))
        self._fragments = Fragments(options.max_message_bytes)
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self.is_binary = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: TCP and TLS stand."""
        self._transport = cast(asyncio.Transport, transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes arrived."""
        self._protocol.receive_data(data)
        if not self._work() and self._listener is not None:
            self._listener.on_part()

    def pause_writing(self) -> None:
        """asyncio: the peer does not read; a client's few small messages reach no such mark otherwise."""
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> None:
        """asyncio: the peer writes no more."""
        self._protocol.receive_eof()
        self._work()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._protocol.receive_eof()
        if not self.opened.done():
            self.opened.set_exception(exc or self._protocol.handshake_exc or ConnectionResetError())
        if self._patience is not None:
            self._patience.cancel()
        listener, self._listener = self._listener, None
        if listener is not None:
            received = self._protocol.close_rcvd
            listener.on_closed(None if received is None else int(received.code))

    def _work(self) -> int:
        """How many events there were."""
        self._flush()
        events = self._protocol.events_received()
        for event in events:
            if isinstance(event, Response):
                self._answered()
            elif isinstance(event, Frame) and self._listener is not None:
                self._heard(event, self._listener)
        if self._protocol.close_expected() and self._patience is None:
            self._be_patient()
        return len(events)

    def _answered(self) -> None:
        if self._protocol.handshake_exc is None:
            self.opened.set_result(None)
        elif not self.opened.done():
            self.opened.set_exception(self._protocol.handshake_exc)

    def _heard(self, frame: Frame, listener: Listener) -> None:
        if frame.opcode in _DATA:
            if frame.opcode is not Opcode.CONT:
                self.is_binary = frame.opcode is Opcode.BINARY
            message = self._fragments.add(bytes(frame.data), last=frame.fin)
            if message is not None:
                hand_over(listener, message)
        elif frame.opcode is Opcode.PONG:
            listener.on_pong()

    def _flush(self) -> None:
        """Write what the protocol has to say; the end of its words is the end of the connection."""
        transport = self._transport
        for data in self._protocol.data_to_send():
            if transport is not None and not transport.is_closing():
                if data:
                    transport.write(data)
                else:
                    transport.close()

    def _be_patient(self) -> None:
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self._options.close_timeout_s, self._transport.abort)

    def send(self, message: bytes) -> None:
        """See `Socket`."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(message)
            self._flush()

    def ping(self) -> None:
        """See `Socket`."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(b"")
            self._flush()

    def close(self) -> None:
        """See `Socket`."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()
            self._be_patient()

    def abort(self) -> None:
        """See `Socket`."""
        self._listener = None
        if self._transport is not None:
            self._transport.abort()


class WebsocketsTransport:
    """Opens sockets with one set of limits."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options

    async def connect(self, url: str, listener: Listener) -> Socket:
        """See `Transport`."""
        try:
            address = parse_uri(url)
        except WebSocketException as error:
            raise connect_failure(error) from None
        socket = WebsocketsSocket(address, listener, self._options)
        tls = self._options.tls if address.secure else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._options.open_timeout_s):
                await loop.create_connection(lambda: socket, address.host, address.port, ssl=tls)
                await socket.opened
        except (OSError, TimeoutError, WebSocketException) as error:
            socket.abort()
            raise connect_failure(error) from None
        except asyncio.CancelledError:
            socket.abort()
            raise
        return socket
