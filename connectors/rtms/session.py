"""One RTMS stream on the event loop: a thin shell that does what `protocol.stream` decides.

    session = RtmsSession(params, on_event, media=..., policy=settings.policy(), transport=create_transport(settings))
    outcome = await session.run()

`run` connects, keeps the stream alive through losses and returns when it is over: ended by Zoom, refused, lost beyond
Zoom's window, closed or handed over. From other coroutines of the same loop:

    session.close()          end the stream at Zoom (message 21, waits for 22), read to the end
    session.hand_over()      close the sockets and leave the stream to another worker, reading everything sent before
    session.reconnect(urls)  Zoom announced the stream again at other addresses

`on_event` gets every `protocol.events.OwnerEvent` in order, synchronously, from the reading callback itself: it must
not block. `MediaReady` comes before any frame, tick or event of the meeting, but not before what is rejected;
`StreamEnded` is the last one. What
`on_event` raises ends the session and is raised by `run`. Cancelling `run` cuts the sockets without a word to Zoom.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.rtms.protocol.events import (
    EndCause,
    Event,
    FrameReceived,
    OwnerEvent,
    ProbeWanted,
    SocketLost,
    SocketUnwanted,
    SocketWanted,
    StreamEnded,
)
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.life import Phase
from connectors.rtms.protocol.links import LinkState
from connectors.rtms.protocol.parameters import EVERYTHING, MediaParameters
from connectors.rtms.protocol.stream import RtmsStream
from connectors.rtms.protocol.ticks import NEVER_MS
from connectors.rtms.transport.sockets import ConnectFailed, Socket, Transport
from schemas.excerpts import Excerpt

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """How a stream ended: see `StreamEnded`. `messages` and `bytes_received` count all WebSocket messages."""

    cause: EndCause
    code: int | None
    retryable: bool
    confirmed: bool
    connected_once: bool
    messages: int
    bytes_received: int


class _Ear:
    """Listens on one socket for the session; deaf once another socket has taken its channel."""

    __slots__ = ("_session", "channel", "closed", "close_code", "socket", "task")

    def __init__(self, session: "RtmsSession", channel: str) -> None:
        self._session: RtmsSession | None = session
        self.channel = channel
        self.socket: Socket | None = None
        self.task: asyncio.Task[None] | None = None
        self.closed = False
        self.close_code: int | None = None

    def on_message(self, data: bytes) -> None:
        if self._session is not None:
            self._session.heard(self.channel, data)

    def on_oversized(self, excerpt: Excerpt) -> None:
        if self._session is not None:
            self._session.heard_oversized(self.channel, excerpt)

    def on_part(self) -> None:
        if self._session is not None:
            self._session.heard_part(self.channel)

    def on_pong(self) -> None:
        if self._session is not None:
            self._session.heard_pong(self.channel)

    def on_closed(self, close_code: int | None) -> None:
        self.closed, self.close_code = True, close_code
        if self._session is not None and self.socket is not None:
            self._session.heard_end(self)

    def cut(self) -> None:
        """Hear nothing any more, and drop the socket or the attempt to open one."""
        self._session = None
        if self.task is not None:
            self.task.cancel()
        if self.socket is not None:
            self.socket.abort()


class RtmsSession:
    """See the module's docstring."""

    def __init__(
        self,
        params: StreamParams,
        on_event: Callable[[OwnerEvent], None],
        *,
        transport: Transport,
        clock: Clock,
        media: MediaParameters = EVERYTHING,
        policy: StreamPolicy | None = None,
    ) -> None:
        self._stream = RtmsStream(params, media, policy)
        self._out = self._stream.out
        self._on_event = on_event
        self._transport = transport
        self._clock = clock
        self._log = _log.bind(stream_id=params.stream_id)
        self._ears: dict[str, _Ear] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = NEVER_MS
        self._pumping = False
        self._done: asyncio.Future[StreamEnded] | None = None
        self._messages = 0
        self._bytes = 0

    async def run(self) -> SessionOutcome:
        """Run the stream to its end. To be called once."""
        self._done = asyncio.get_running_loop().create_future()
        self._log.info("stream opening")
        try:
            if self._stream.phase is Phase.NEW:  # else it was closed before it was opened
                self._stream.start(self._now_ms())
            self._pump()
            ended = await self._done
        finally:
            self._stop()
        self._log.info(
            "stream over", cause=ended.cause, code=ended.code, messages=self._messages, bytes_received=self._bytes
        )
        connected = self._stream.connected_once
        return SessionOutcome(
            ended.cause, ended.code, ended.retryable, ended.confirmed, connected, self._messages, self._bytes
        )

    def close(self) -> None:
        """End the stream at Zoom; `run` returns when that is done."""
        self._stream.close(self._now_ms())
        self._pump()

    def hand_over(self) -> None:
        """Let go of the stream without ending it; `run` returns when everything sent before has been read."""
        self._stream.hand_over(self._now_ms())
        self._pump()

    def reconnect(self, server_urls: tuple[str, ...]) -> None:
        """Begin anew at other addresses."""
        self._stream.reconnect(server_urls, self._now_ms())
        self._pump()

    # --- what sockets and timers say --------------------------------------------------------------------------------

    def heard(self, channel: str, data: bytes) -> None:
        """A message arrived."""
        self._messages += 1
        self._bytes += len(data)
        self._stream.receive(channel, data, self._now_ms())
        self._pump()

    def heard_oversized(self, channel: str, excerpt: Excerpt) -> None:
        """A message arrived that is too large to be looked into."""
        self._messages += 1
        self._bytes += excerpt.length
        self._stream.receive_oversized(channel, excerpt, self._now_ms())
        self._pump()

    def heard_part(self, channel: str) -> None:
        """A part of a message arrived."""
        self._stream.receive_part(channel, self._now_ms())

    def heard_pong(self, channel: str) -> None:
        """A pong arrived."""
        self._stream.receive_pong(channel, self._now_ms())
        self._pump()

    def heard_end(self, ear: _Ear) -> None:
        """A socket closed, or an attempt to open one failed."""
        if self._ears.get(ear.channel) is ear:
            del self._ears[ear.channel]
            self._stream.receive_eof(ear.channel, self._now_ms(), ear.close_code)
            self._pump()

    def _timer_fired(self) -> None:
        self._timer_ms = NEVER_MS
        self._stream.handle_timer(self._now_ms())
        self._pump()

    # --- doing what the protocol decided ----------------------------------------------------------------------------

    def _pump(self) -> None:
        """Pass on everything the protocol has to say. Not re-entrant: calls from `on_event` are worked off after it."""
        if self._pumping or self._done is None or self._done.done():
            return
        try:
            self._deliver()
        except Exception as error:  # noqa: BLE001  # the owner's fault is the owner's to hear about, from run()
            self._done.set_exception(error)
            return
        if self._out.sends:
            for channel, message in self._stream.data_to_send():
                ear = self._ears.get(channel)
                if ear is not None and ear.socket is not None:
                    ear.socket.send(message)
        wake_ms = self._stream.next_timer()
        if wake_ms < self._timer_ms:
            self._arm(wake_ms)

    def _deliver(self) -> None:
        self._pumping = True
        try:
            while self._out.events:
                for event in self._stream.events_received():
                    if type(event) is FrameReceived:
                        self._on_event(event)
                    else:
                        self._handle(event)
        finally:
            self._pumping = False

    def _handle(self, event: Event) -> None:
        match event:
            case SocketWanted(channel, url):
                self._open(channel, url)
            case SocketUnwanted(channel):
                self._shut(channel)
            case ProbeWanted(channel):
                ear = self._ears.get(channel)
                if ear is not None and ear.socket is not None:
                    ear.socket.ping()
            case StreamEnded():
                self._on_event(event)
                assert self._done is not None
                self._done.set_result(event)
            case _:
                if isinstance(event, SocketLost):
                    self._log.warning(
                        "socket lost", channel=event.channel, close_code=event.close_code, retry_in_ms=event.retry_in_ms
                    )
                self._on_event(event)

    def _open(self, channel: str, url: str) -> None:
        previous = self._ears.pop(channel, None)
        if previous is not None:
            previous.cut()
        ear = self._ears[channel] = _Ear(self, channel)
        ear.task = asyncio.get_running_loop().create_task(self._connect(ear, url))
        ear.task.add_done_callback(self._connect_done)

    def _connect_done(self, task: asyncio.Task[None]) -> None:
        """A bug while connecting must not look like a silent server."""
        if not task.cancelled() and (error := task.exception()) is not None and self._done is not None:
            if not self._done.done():
                self._done.set_exception(error)

    async def _connect(self, ear: _Ear, url: str) -> None:
        self._log.debug("socket opening", channel=ear.channel, host=urlsplit(url).hostname)
        try:
            socket = await self._transport.connect(url, ear)
        except ConnectFailed as failure:
            self._log.warning("socket not opened", channel=ear.channel, reason=failure.reason)
            self.heard_end(ear)
            return
        ear.socket = socket
        ear.task = None
        if ear.closed:
            self.heard_end(ear)
        else:
            self._stream.socket_opened(ear.channel, self._now_ms())
            self._pump()

    def _shut(self, channel: str) -> None:
        """Close in good order; an attempt to open is broken off: no news where another one is wanted by now."""
        ear = self._ears.get(channel)
        if ear is not None and ear.socket is not None:
            ear.socket.close()
            return
        if ear is not None:
            del self._ears[channel]
            ear.cut()
        if self._stream.state(channel) is not LinkState.OPENING:
            self._stream.receive_eof(channel, self._now_ms())

    def _arm(self, wake_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay_s = (max(0, wake_ms - self._now_ms()) + 1) / 1000  # a moment late rather than a moment early, twice
        self._timer_ms = wake_ms
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._timer_fired)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for ear in self._ears.values():
            ear.cut()
        self._ears.clear()

    def _now_ms(self) -> int:
        return int(self._clock.monotonic() * 1000)
