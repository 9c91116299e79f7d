"""What a session needs of a WebSocket, whichever library provides it.

A listener hears whole messages (fragments joined, text and binary alike, as bytes) in the order in which they came,
pongs included: when `on_pong` is called, everything the peer sent before has been handed over.
"""

import ssl
from dataclasses import dataclass
from typing import Protocol

from schemas.excerpts import Excerpt, Excerpting, excerpt_of


class ConnectFailed(Exception):
    """A socket could not be opened; `reason` is a short code without addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Listener(Protocol):
    """Called from the event loop; must not block and must not raise."""

    def on_message(self, data: bytes) -> None:
        """One whole message."""
        ...

    def on_oversized(self, excerpt: Excerpt) -> None:
        """What is left of a message that was too large to hold; it counts as one in the order of messages."""
        ...

    def on_part(self) -> None:
        """Bytes came, and with them no message's end: nothing to hear yet, but the peer is there."""
        ...

    def on_pong(self) -> None:
        """The answer to the oldest unanswered `ping`."""
        ...

    def on_closed(self, close_code: int | None) -> None:
        """The connection is gone: the last call. None: without a close frame from the peer, or cut off because the
        peer does not read what it is told, of which there would be no end."""
        ...


class Socket(Protocol):
    """An open WebSocket. After `abort`, and after `on_closed`, nothing here has an effect."""

    @property
    def is_binary(self) -> bool:
        """Whether the message that the listener is hearing came in binary frames."""
        ...

    def send(self, message: bytes) -> None:
        """Send one message as text."""
        ...

    def ping(self) -> None:
        """Send a ping."""
        ...

    def close(self) -> None:
        """Close in good order: messages go on being heard until the peer's close frame, or until it takes too long."""
        ...

    def abort(self) -> None:
        """Cut the connection now; the listener is not called any more."""
        ...


class Transport(Protocol):
    """Opens WebSockets."""

    async def connect(self, url: str, listener: Listener) -> Socket:
        """A socket that speaks to `listener`.

        Raises:
            ConnectFailed: there is none.
        """
        ...


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """Limits of all sockets. `tls` must verify; it is used for `wss://`.

    Of a message larger than `max_message_bytes` only an excerpt is kept, and the socket goes on.
    """

    tls: ssl.SSLContext
    max_message_bytes: int = 24 * 1024 * 1024
    open_timeout_s: float = 8.0
    close_timeout_s: float = 1.0

    @property
    def max_frame_bytes(self) -> int:
        """A larger frame closes the socket (1009): the libraries hold a frame before anybody can look at it."""
        return 2 * self.max_message_bytes


class Fragments:
    """Joins the fragments of messages; control frames between them go around it. Holds no more than the limit, of
    however many pieces, with something in them or not, a message is made."""

    __slots__ = ("_excerpting", "_joined", "_max_bytes")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._joined = bytearray()
        self._excerpting: Excerpting | None = None

    def add(self, data: bytes, *, last: bool) -> bytes | Excerpt | None:
        """The message if this was its last fragment; an excerpt of it if it has grown past the limit."""
        if last and not self._joined and self._excerpting is None:
            return data if len(data) <= self._max_bytes else excerpt_of(data)
        if self._excerpting is None and len(self._joined) + len(data) > self._max_bytes:
            self._excerpting = Excerpting()
            self._excerpting.add(bytes(self._joined))
            self._joined.clear()
        if self._excerpting is None:
            self._joined += data
        else:
            self._excerpting.add(data)
        return self._taken() if last else None

    def _taken(self) -> bytes | Excerpt:
        excerpting, joined = self._excerpting, self._joined
        self._excerpting, self._joined = None, bytearray()
        return bytes(joined) if excerpting is None else excerpting.excerpt()


def hand_over(listener: Listener, message: bytes | Excerpt) -> None:
    """What `Fragments` made, to the method it is for."""
    if isinstance(message, Excerpt):
        listener.on_oversized(message)
    else:
        listener.on_message(message)


def connect_failure(error: BaseException) -> ConnectFailed:
    """A library's or the system's error as one of ours, told by kind and never by its text."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectFailed("certificate_not_trusted")
    if isinstance(error, ssl.SSLError):
        return ConnectFailed("tls_failed")
    if isinstance(error, TimeoutError):
        return ConnectFailed("timed_out")
    if isinstance(error, ConnectionRefusedError):
        return ConnectFailed("connection_refused")
    if isinstance(error, ConnectionError):
        return ConnectFailed("connection_lost")
    if isinstance(error, OSError):
        return ConnectFailed("unreachable")
    return ConnectFailed("not_a_websocket")
