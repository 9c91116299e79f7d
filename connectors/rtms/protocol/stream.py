"""One RTMS stream, without I/O: Zoom's messages and the time in, messages to Zoom, events and the next deadline out.

    intents   start · close · hand_over · reconnect
    input     socket_opened · receive · receive_part · receive_pong · receive_eof · handle_timer
    output    data_to_send · events_received · next_timer

After each intent or input the shell sends `data_to_send()`, works off `events_received()` and makes sure to call
`handle_timer` at `next_timer()`. `now_ms` is any monotonic clock's milliseconds, the same clock for all calls. Data of
a socket that is no longer known is dropped, so a shell need not be quick about closing. The only exception that may
leave this class is `LocalError`, for calls that make no sense: a bug in the shell.

What Zoom does wrong never raises. A message that cannot be used becomes `FrameRejected`; a conversation that cannot go
on is a lost socket and begun anew within Zoom's window; a refusal ends the stream with its status in `StreamEnded`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.rtms.protocol import media, messages, signaling
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.connection import Connection
from connectors.rtms.protocol.errors import LocalError, Refused, RemoteError, Unusable
from connectors.rtms.protocol.events import (
    SIGNALING,
    CaptionReceived,
    ChatReceived,
    Event,
    FrameReceived,
    FrameRejected,
    MediaEvent,
    MediaInterrupted,
    ParticipantLeft,
    StreamStateChanged,
    VideoTurnedOff,
    VideoTurnedOn,
    ZoomEvent,
)
from connectors.rtms.protocol.frames import read_frame, read_head
from connectors.rtms.protocol.happenings import Context
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.life import Phase
from connectors.rtms.protocol.links import Link, LinkState
from connectors.rtms.protocol.outbox import Outbox
from connectors.rtms.protocol.parameters import EVERYTHING, MediaParameters
from connectors.rtms.protocol.zoomtime import is_possible
from schemas.excerpts import Excerpt, excerpt_of

TOO_LARGE = "too_large"
IMPLAUSIBLE = "implausible_timestamp"
BEFORE_ACCEPTANCE = "before_acceptance"

_READING = frozenset({LinkState.GREETING, LinkState.UP, LinkState.DRAINING})


class RtmsStream:
    """See the module's docstring."""

    def __init__(
        self, params: StreamParams, wanted: MediaParameters = EVERYTHING, policy: StreamPolicy | None = None
    ) -> None:
        if params.product not in messages.ID_FIELDS:
            raise LocalError(f"no such product: {params.product}")
        self._product = params.product
        self.out = self._out = Outbox()
        """Where output waits to be fetched: looking whether there is any costs less than fetching nothing."""
        self._connection = Connection(params, wanted, policy or StreamPolicy(), self._out)
        self._links = self._connection.sockets.links
        self._deadlines = self._connection.sockets.deadlines
        self._ticks = self._connection.ticks

    @property
    def phase(self) -> Phase:
        """How far the stream's life has come."""
        return self._connection.phase

    @property
    def connected_once(self) -> bool:
        """Whether media could ever flow."""
        return self._connection.connected_once

    def state(self, channel: str) -> LinkState:
        """The state of one channel's socket."""
        link = self._links.get(channel)
        return LinkState.IDLE if link is None else link.state

    # --- output -----------------------------------------------------------------------------------------------------

    def data_to_send(self) -> list[tuple[str, bytes]]:
        """Messages to write now, each with its channel; every call hands them out once."""
        return self._out.take_sends()

    def events_received(self) -> list[Event]:
        """What happened since the last call, in order."""
        return self._out.take_events()

    def next_timer(self) -> int:
        """When to call `handle_timer`, at the latest; may be early, is never late, and costs nothing to ask."""
        return min(self._deadlines.earliest_ms, self._ticks.wake_ms)

    # --- intents ----------------------------------------------------------------------------------------------------

    def start(self, now_ms: int) -> None:
        """Connect. To be called once."""
        self._connection.start(now_ms)

    def reconnect(self, server_urls: tuple[str, ...], now_ms: int) -> None:
        """Begin anew at these addresses: Zoom announced the stream again after its server failed."""
        self._connection.reconnect(server_urls, now_ms)

    def close(self, now_ms: int) -> None:
        """End the stream at Zoom for good; `StreamEnded` comes when Zoom confirmed and everything is read."""
        self._connection.close(now_ms)

    def hand_over(self, now_ms: int) -> None:
        """Let go of the sockets without ending the stream; `StreamEnded` comes when everything sent is read."""
        self._connection.hand_over(now_ms)

    # --- input ------------------------------------------------------------------------------------------------------

    def socket_opened(self, channel: str, now_ms: int) -> None:
        """The wished-for socket stands."""
        link = self._links.get(channel)
        if link is not None and link.state is LinkState.OPENING:
            self._connection.opened(link, now_ms)

    def receive(self, channel: str, data: bytes | str, now_ms: int) -> None:
        """One whole WebSocket message, text or binary alike."""
        link = self._heard(channel, now_ms)
        if link is None:
            return
        raw = data if type(data) is bytes else _as_bytes(data)
        if channel != SIGNALING and link.state is not LinkState.GREETING:
            frame = read_frame(raw)
            if frame is not None:
                self._media_received(link, frame, now_ms, raw)
                return
        try:
            self._read(link, messages.decode(raw), now_ms, raw)
        except Unusable as unusable:
            self._reject(channel, unusable.reason, raw)

    def receive_oversized(self, channel: str, excerpt: Excerpt, now_ms: int) -> None:
        """A message of which only an excerpt could be kept."""
        if self._heard(channel, now_ms) is None:
            return
        medium, timestamp_ms = (None, 0) if channel == SIGNALING else read_head(excerpt.head)
        self._out.events.append(FrameRejected(channel, TOO_LARGE, excerpt, medium, timestamp_ms))

    def receive_part(self, channel: str, now_ms: int) -> None:
        """Some of a message came, and not its end: whoever sends it is there, the pong behind it will be late."""
        link = self._links.get(channel)
        if link is not None:
            link.part_ms = now_ms

    def receive_pong(self, channel: str, now_ms: int) -> None:
        """The answer to a ping that `ProbeWanted` asked for."""
        self._ticks.pong(channel, now_ms)
        link = self._links.get(channel)
        if link is not None:
            self._connection.sockets.answered(link, now_ms)

    def receive_eof(self, channel: str, now_ms: int, close_code: int | None = None) -> None:
        """The socket is closed, or could not be opened."""
        link = self._links.get(channel)
        if link is not None:
            self._connection.closed(link, now_ms, close_code)

    def handle_timer(self, now_ms: int) -> None:
        """The moment asked for has come (or it has not: then nothing happens)."""
        self._connection.handle_timer(now_ms)
        if now_ms >= self._ticks.wake_ms:
            ticks, probes = self._ticks.due(now_ms)
            self._out.events += ticks
            for channel in probes:
                self._connection.sockets.ask(self._links[channel], now_ms)

    def _heard(self, channel: str, now_ms: int) -> Link | None:
        """The link on which something arrived; None where nobody is listening any more."""
        link = self._links.get(channel)
        if link is None or link.state not in _READING or self._connection.phase is Phase.OVER:
            return None
        link.heard_ms = now_ms
        return link

    # --- messages ---------------------------------------------------------------------------------------------------

    def _read(self, link: Link, message: Mapping[str, Any], now_ms: int, raw: bytes) -> None:
        context = Context(self._product, self._ticks.zoom.now(now_ms) or 0)
        try:
            statements: Sequence[Any]
            if link.channel == SIGNALING:
                statements = signaling.read(link.state, message, context)
            else:
                statements = media.read(link.state, message, context)
        except Refused as refusal:
            self._connection.refused(link, refusal, now_ms)
            return
        except RemoteError:
            self._connection.lost(link, now_ms)
            return
        if happened := [statement for statement in statements if isinstance(statement, ZoomEvent)]:
            self._on_happened(link, happened, now_ms, raw)
        for statement in statements:
            if isinstance(statement, FrameReceived | CaptionReceived | ChatReceived):
                self._media_received(link, statement, now_ms, raw)
            else:
                self._ACTS.get(type(statement), _nothing)(self, link, statement, now_ms)

    def _media_received(self, link: Link, event: MediaEvent, now_ms: int, raw: bytes) -> None:
        if not self._ticks.frame(event.medium, link.channel, event.timestamp_ms, now_ms):
            self._reject(link.channel, IMPLAUSIBLE, raw)
            return
        if not self._connection.connected_once:  # split sockets: this one flows before the others are settled
            if link.state is not LinkState.UP:
                self._reject(link.channel, BEFORE_ACCEPTANCE, raw)
                return
            self._connection.acknowledge(now_ms)
        self._out.events.append(event)

    def _reject(self, channel: str, reason: str, raw: bytes) -> None:
        self._out.events.append(FrameRejected(channel, reason, excerpt_of(raw)))

    def _on_offer(self, link: Link, offer: signaling.Offer, now_ms: int) -> None:
        self._connection.offered(link, offer, now_ms)

    def _on_agreed(self, link: Link, agreed: media.Agreed, now_ms: int) -> None:
        self._connection.agreed(link, agreed.media_params, now_ms)

    def _on_keep_alive(self, link: Link, keep_alive: signaling.KeepAlive, now_ms: int) -> None:
        if link.state is not LinkState.DRAINING:
            self._out.sends.append((link.channel, keep_alive.answer))
        if keep_alive.timestamp_ms is not None:
            self._ticks.told(link.channel, keep_alive.timestamp_ms, now_ms)

    def _on_close_answered(self, _link: Link, answer: signaling.CloseAnswered, now_ms: int) -> None:
        self._connection.close_answered(answer.code, now_ms)

    def _on_happened(self, link: Link, happened: Sequence[ZoomEvent], now_ms: int, raw: bytes) -> None:
        """All of one message: what is wrong with its time is wrong once, however many people it names."""
        stamp_ms = happened[0].timestamp_ms
        if stamp_ms and not is_possible(stamp_ms):  # 0: Zoom did not say
            self._reject(link.channel, IMPLAUSIBLE, raw)
            return
        self._ticks.frame(Medium.EVENTS, SIGNALING, stamp_ms, now_ms)
        if self._connection.connected_once:
            self._out.events += happened
        elif not self._out.hold_back(happened):
            self._reject(link.channel, BEFORE_ACCEPTANCE, raw)

    def _on_stream_state(self, _link: Link, event: StreamStateChanged, now_ms: int) -> None:
        self._connection.state_changed(event.code, event.reason, now_ms)

    def _on_interrupted(self, _link: Link, event: MediaInterrupted, now_ms: int) -> None:
        self._connection.interrupted(event.medium, now_ms)

    def _on_camera(self, _link: Link, event: VideoTurnedOn | VideoTurnedOff | ParticipantLeft, now_ms: int) -> None:
        self._connection.watching.turned(event.user_id, on=isinstance(event, VideoTurnedOn))
        self._connection.watch(now_ms)

    def _on_camera_answered(self, _link: Link, answer: signaling.CameraAnswered, now_ms: int) -> None:
        self._connection.watching.answered(answer.user_id, answer.code, now_ms)
        self._connection.watch(now_ms)

    _ACTS: dict[type, Callable[["RtmsStream", Link, Any, int], None]] = {
        signaling.Offer: _on_offer,
        signaling.KeepAlive: _on_keep_alive,
        signaling.CloseAnswered: _on_close_answered,
        signaling.CameraAnswered: _on_camera_answered,
        media.Agreed: _on_agreed,
        StreamStateChanged: _on_stream_state,
        MediaInterrupted: _on_interrupted,
        VideoTurnedOn: _on_camera,
        VideoTurnedOff: _on_camera,
        ParticipantLeft: _on_camera,
    }


def _nothing(_stream: RtmsStream, _link: Link, _statement: object, _now_ms: int) -> None:
    """An event that is only passed on."""


def _as_bytes(data: str | bytes | bytearray | memoryview) -> bytes:
    return data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
