"""WebSockets by picows, the fastest receive path there is in Python: one callback per frame, no task per socket.

picows hands out raw frames, so joining fragments and the closing handshake are done here.
"""

import asyncio
import logging
from typing import cast

import picows

from connectors.rtms.transport.sockets import (
    Fragments,
    Listener,
    Socket,
    TransportOptions,
    connect_failure,
    hand_over,
)

_TEXT = picows.WSMsgType.TEXT
_BINARY = picows.WSMsgType.BINARY
_CONTINUATION = picows.WSMsgType.CONTINUATION
_PONG = picows.WSMsgType.PONG
_CLOSE = picows.WSMsgType.CLOSE
_LOG = logging.getLogger("picows.client")
_SEALED_BYTES = 64 * 1024
"""What is read of a TLS socket at once, two pictures. Each socket has a buffer for it, and of the library's own size,
257 KiB, a few dozen are more than a core's cache holds."""


class _Parts(asyncio.BufferedProtocol):
    """Stands before picows' protocol, which is silent until a frame is whole: says when there was none in what came."""

    def __init__(self, inner: asyncio.BufferedProtocol, socket: "PicowsSocket") -> None:
        self._inner = inner
        self._socket = socket
        self._get_buffer, self._updated = inner.get_buffer, inner.buffer_updated

    def get_buffer(self, sizehint: int) -> memoryview:
        """asyncio: where to read to."""
        return self._get_buffer(sizehint)  # type: ignore[return-value]

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio: so many bytes were read."""
        socket = self._socket
        socket.has_frame = False
        self._updated(nbytes)
        if not socket.has_frame:
            socket.on_part()

    def eof_received(self) -> bool | None:
        """asyncio: the peer writes no more."""
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """asyncio: the peer does not read; a client's few small messages reach no such mark otherwise."""
        self._inner.pause_writing()
        self._socket.on_unread()

    def resume_writing(self) -> None:
        """asyncio: it has caught up."""
        self._inner.resume_writing()


class PicowsSocket(picows.WSListener):
    """One connection, as picows' listener and as our socket."""

    def __init__(self, listener: Listener, options: TransportOptions) -> None:
        super().__init__()
        self._listener: Listener | None = listener
        self._options = options
        self._fragments = Fragments(options.max_message_bytes)
        self._joining = False
        self._transport: picows.WSTransport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._close_code: int | None = None
        self.has_frame = False
        self.is_binary = False

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """picows: the handshake is done."""
        self._transport = transport
        below = transport.underlying_transport
        below.set_protocol(_Parts(cast(asyncio.BufferedProtocol, below.get_protocol()), self))

    def on_part(self) -> None:
        """A part of a frame arrived."""
        if self._listener is not None:
            self._listener.on_part()

    def on_unread(self) -> None:
        """The peer asks and asks and does not read the answers."""
        if self._transport is not None:
            self._transport.disconnect(False)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """picows: a frame arrived."""
        self.has_frame = True
        kind = frame.msg_type
        if self._listener is None or (transport.is_close_frame_sent and self._patience is None and kind is not _CLOSE):
            return  # after an error of its parser, picows goes on parsing what it has just rejected
        if kind is _TEXT or kind is _BINARY or kind is _CONTINUATION:
            if not self._joining:
                self.is_binary = kind is _BINARY
            if frame.fin and not self._joining and frame.payload_size <= self._options.max_message_bytes:
                self._listener.on_message(frame.get_payload_as_bytes())
            else:
                self._join(frame, self._listener)
        elif kind is _PONG:
            self._listener.on_pong()
        elif kind is _CLOSE:
            self._close_code = int(frame.get_close_code().value) if frame.payload_size >= 2 else 1005
            if not transport.is_close_frame_sent:
                transport.send_close()
            transport.disconnect()

    def _join(self, frame: picows.WSFrame, listener: Listener) -> None:
        message = self._fragments.add(frame.get_payload_as_bytes(), last=frame.fin)
        self._joining = message is None
        if message is not None:
            hand_over(listener, message)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """picows: the connection is gone."""
        if self._patience is not None:
            self._patience.cancel()
        ended = asyncio.ensure_future(transport.wait_disconnected())
        ended.add_done_callback(lambda task: task.cancelled() or task.exception())  # known by now: nobody else asks
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_closed(self._close_code)

    @property
    def _is_open(self) -> bool:
        return self._listener is not None and self._transport is not None and not self._transport.is_disconnected

    def send(self, message: bytes) -> None:
        """See `Socket`."""
        if self._is_open and self._transport is not None and not self._transport.is_close_frame_sent:
            self._transport.send(_TEXT, message)

    def ping(self) -> None:
        """See `Socket`."""
        if self._is_open and self._transport is not None and not self._transport.is_close_frame_sent:
            self._transport.send_ping()

    def close(self) -> None:
        """See `Socket`."""
        if self._is_open and self._transport is not None and not self._transport.is_close_frame_sent:
            self._transport.send_close(picows.WSCloseCode.OK)
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self._options.close_timeout_s, self._transport.disconnect, False)

    def abort(self) -> None:
        """See `Socket`."""
        self._listener = None
        if self._transport is not None:
            self._transport.disconnect(False)


class PicowsTransport:
    """Opens sockets with one set of limits."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options

    async def connect(self, url: str, listener: Listener) -> Socket:
        """See `Transport`."""
        socket = PicowsSocket(listener, self._options)
        tls, sealed_bytes = (self._options.tls, _SEALED_BYTES) if url.startswith("wss:") else (None, None)
        try:
            async with asyncio.timeout(self._options.open_timeout_s):
                await picows.ws_connect(
                    lambda: socket,
                    url,
                    ssl_context=tls,
                    websocket_handshake_timeout=self._options.open_timeout_s,
                    logger_name=_LOG,
                    max_frame_size=self._options.max_frame_bytes,
                    max_redirects=0,
                    ssl_incoming_bio_size=sealed_bytes,
                    ssl_outgoing_bio_size=sealed_bytes,
                )
        except (OSError, TimeoutError, picows.WSError) as error:
            socket.abort()
            raise connect_failure(error) from None
        except asyncio.CancelledError:
            socket.abort()
            raise
        return socket
