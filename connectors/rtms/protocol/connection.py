"""The life of a stream's connection: which sockets there should be, when to try again, and when it is over.

Rules of this file: it is told what Zoom said, in `signaling`'s and `media`'s statements, and never sees a message; it
decides on phases, retries and ends. Zoom gives a broken stream a window; inside it a lost media socket is opened again
by itself, a lost signalling socket takes everything down and up again.
"""

from dataclasses import replace

from connectors.rtms.protocol import messages, retry
from connectors.rtms.protocol.codes import DataOption, Medium, Status, StopReason, StreamState
from connectors.rtms.protocol.errors import LocalError, Refused
from connectors.rtms.protocol.events import (
    SIGNALING,
    EndCause,
    MediaReady,
    MediumRefused,
    SecondRefused,
    SignalingAccepted,
    StreamEnded,
)
from connectors.rtms.protocol.joining import StreamParams, StreamPolicy
from connectors.rtms.protocol.life import LIFE, Phase, Turn
from connectors.rtms.protocol.links import Link, LinkState
from connectors.rtms.protocol.negotiation import Negotiation
from connectors.rtms.protocol.outbox import Outbox
from connectors.rtms.protocol.parameters import MediaParameters
from connectors.rtms.protocol.signaling import Offer
from connectors.rtms.protocol.signature import handshake_signature
from connectors.rtms.protocol.sockets import ANSWER, PULSE, RETRY, SUSPICION, WATCHDOG, Sockets
from connectors.rtms.protocol.subscriptions import wanted_events
from connectors.rtms.protocol.ticks import Silence, Ticks, silences
from connectors.rtms.protocol.watching import Watching

QUICK_CLOSE_MS = 10_000
MAX_QUICK_CLOSES = 3
"""Closed so often so soon after it was accepted: somebody else keeps taking the stream over."""

SUSPICION_MS = 1_000
"""How long a media socket that Zoom calls interrupted may show by data that it is not."""

LEAVING_MS = 5_000
"""How long Zoom may take to answer that the stream is closed."""

DRAIN_MS = 3_000
"""How long Zoom may take to close the sockets of a stream that it ended."""

CLOSING_MS = 1_000
"""How long a peer may take to answer a close frame; twice that for a hand-over, which closes in two steps."""

_UNCONFIRMED = StreamEnded(EndCause.HANDED_OVER, confirmed=False)
_END = "end"
_CAMERA = "camera"
_WITH_PEER = frozenset({LinkState.OPENING, LinkState.GREETING, LinkState.UP})


class Connection:
    """Everything between `start` and `StreamEnded`, for one stream."""

    def __init__(self, params: StreamParams, wanted: MediaParameters, policy: StreamPolicy, out: Outbox) -> None:
        self.phase = Phase.NEW
        self.connected_once = False
        self.sockets = Sockets(out, answer_ms=policy.answer_ms, watchdog_ms=policy.watchdog_ms)
        self.ticks = Ticks()
        self._out = out
        self._params = params
        self._policy = policy
        self._negotiation = Negotiation(wanted, policy.addresses, unified=policy.unified)
        signature = handshake_signature(params.client_id, params.client_secret, params.meeting_id, params.stream_id)
        self._identity = messages.StreamIdentity(params.product, params.meeting_id, params.stream_id, signature)
        self._events = wanted_events(params.product, wanted)
        self._subscribed = False
        self.watching = Watching()
        self._quick_closes = 0
        self._ended: StreamEnded | None = None

    # --- intents ----------------------------------------------------------------------------------------------------

    def start(self, now_ms: int) -> None:
        """Connect. To be called once."""
        if self.phase is not Phase.NEW:
            raise LocalError("started twice")
        self._turn(Turn.STARTED)
        self._connect(self._params.server_urls, now_ms)

    def reconnect(self, server_urls: tuple[str, ...], now_ms: int) -> None:
        """Begin anew elsewhere; a stream that is not running yet begins there, one that is ending does not care."""
        self._params = replace(self._params, server_urls=server_urls)
        if self.phase is Phase.RUNNING:
            self._drop_media()
            signaling = self.sockets.signaling
            self.sockets.drain(signaling)
            signaling.attempt, signaling.away_since_ms = 0, None
            self._connect(server_urls, now_ms)

    def close(self, now_ms: int) -> None:
        """End the stream at Zoom and wait for its answer, if there is anybody to ask."""
        if self.phase is Phase.RUNNING and self.sockets.signaling.state is LinkState.UP:
            self._turn(Turn.CLOSED)
            self._send(SIGNALING, messages.stream_close_request(self._params.stream_id))
            self.sockets.deadlines.set(_END, now_ms + LEAVING_MS)
        elif self.phase in (Phase.NEW, Phase.RUNNING):
            self._end(StreamEnded(EndCause.CLOSED, confirmed=False), now_ms)

    def hand_over(self, now_ms: int) -> None:
        """Let go without ending the stream: media sockets first and, when all of them is read, signalling."""
        if Turn.HANDED_OVER in LIFE[self.phase]:
            self._turn(Turn.HANDED_OVER)
            self._ended = StreamEnded(EndCause.HANDED_OVER)
            for link in self.sockets.media:
                self.sockets.drain(link)
            self.sockets.deadlines.set(_END, now_ms + CLOSING_MS)
            self._settle()

    # --- what happened to sockets -----------------------------------------------------------------------------------

    def opened(self, link: Link, now_ms: int) -> None:
        """The socket stands: send the handshake."""
        self.sockets.opened(link, now_ms)
        if link is self.sockets.signaling:
            buffered = self._policy.buffer_data
            self._send(SIGNALING, messages.signaling_handshake_request(self._identity, buffer_data=buffered))
        else:
            asked = self._negotiation.asked.only(link.media)
            params = asked.to_wire()
            request = messages.media_handshake_request(self._identity, media_type=asked.mask, media_params=params)
            self._send(link.channel, request)

    def closed(self, link: Link, now_ms: int, close_code: int | None) -> None:
        """The socket is gone, whether that was wanted or not."""
        if link.state is LinkState.DRAINING or self.phase is not Phase.RUNNING:
            if self.phase is Phase.HANDING_OVER and link is not self.sockets.signaling and close_code is None:
                self._ended = _UNCONFIRMED
            self.sockets.closed(link)
            self.ticks.lost(link.channel)
            if self.phase is Phase.LEAVING and link is self.sockets.signaling:
                self._end(StreamEnded(EndCause.CLOSED, confirmed=False), now_ms)
            self._settle()
        elif link.state in _WITH_PEER:
            self.lost(link, now_ms, close_code, has_socket=False)

    def lost(self, link: Link, now_ms: int, close_code: int | None = None, *, has_socket: bool = True) -> None:
        """The socket is of no use: it closed, is silent, or Zoom makes no sense on it."""
        if self.phase is not Phase.RUNNING:
            return
        if link is self.sockets.signaling:
            self._drop_media()
            if not has_socket and self._closes_too_quickly(link, now_ms):
                self.sockets.closed(link)
                self._end(StreamEnded(EndCause.DUPLICATE_CONNECTION), now_ms)
                return
        delay_ms = retry.after_loss(link.attempt, link.away_ms(now_ms), link.window_ms)
        self._wait_or_end(link, delay_ms, now_ms, close_code, has_socket=has_socket)

    def handle_timer(self, now_ms: int) -> None:
        """Work off the deadlines that have passed."""
        while (name := self.sockets.deadlines.pop_passed(now_ms)) is not None:
            if isinstance(name, tuple):
                self._deadline_passed(self.sockets.links[name[0]], name[1], now_ms)
            elif name == _CAMERA:
                self.watch(now_ms)
            else:
                self._end_is_due(now_ms)

    # --- what Zoom said ---------------------------------------------------------------------------------------------

    def offered(self, link: Link, offer: Offer, now_ms: int) -> None:
        """Signalling is accepted: open the media sockets."""
        if self.phase is not Phase.RUNNING:
            return
        self.sockets.accepted(link, now_ms)
        self.ticks.connected(SIGNALING, probing=False)
        if self._policy.probing:
            self.sockets.ask_when_quiet(link, now_ms)
        self._subscribed = False
        planned = self._negotiation.links(offer)
        media = frozenset[Medium]().union(*(each.media for each in planned))
        self._out.events.append(SignalingAccepted(tuple(medium for medium in Medium if medium in media)))
        if not planned:
            self._end(StreamEnded(EndCause.NOTHING_OFFERED), now_ms)
        for each in planned:
            self.sockets.open(each, now_ms)

    def agreed(self, link: Link, media_params: object, now_ms: int) -> None:
        """A media socket is accepted."""
        if self.phase is Phase.RUNNING:
            self.sockets.accepted(link, now_ms)
            self.ticks.connected(link.channel, probing=self._policy.probing)
            self._negotiation.agree(link, media_params)
            self._acknowledge_when_complete(now_ms)

    def refused(self, link: Link, refusal: Refused, now_ms: int) -> None:
        """A handshake was answered with a no."""
        if self.phase is not Phase.RUNNING:
            return
        code, medium = refusal.code, retry.dispensable_medium(refusal.code)
        is_duplicate = retry.is_duplicate(code, refusal.reason, signaling=link is self.sockets.signaling)
        delay_ms = retry.after_refusal(code, is_duplicate, link.attempt, link.away_ms(now_ms), link.window_ms)
        if is_duplicate:
            self._out.events.append(SecondRefused(link.channel))
        if delay_ms is not None:
            self._wait_or_end(link, delay_ms, now_ms, None, has_socket=True)
        elif medium is not None and medium in link.media:
            self._go_on_without(link, medium, code, now_ms)
        elif self.connected_once and code == Status.INVALID_RTMS_STREAM_ID:
            self._end(StreamEnded(EndCause.GONE, code), now_ms)
        else:
            self._end(StreamEnded(EndCause.REFUSED, code), now_ms)

    def interrupted(self, medium: Medium | None, now_ms: int) -> None:
        """Zoom lost the media connection of this medium, or one that it does not name."""
        for link in self.sockets.media if self.phase is Phase.RUNNING else ():
            if medium is not None and medium not in link.media:
                continue
            if link.state is LinkState.WAITING:
                self.sockets.open(link, now_ms)
            elif link.state is LinkState.UP:
                link.suspected_ms = now_ms
                self.sockets.deadlines.set((link.channel, SUSPICION), now_ms + SUSPICION_MS)

    def state_changed(self, state: int, reason: int, now_ms: int) -> None:
        """Zoom says how the stream is (message 8)."""
        if state == StreamState.TERMINATED:
            self.stopped(reason, now_ms)
        elif state == StreamState.INTERRUPTED and reason == StopReason.DATA_CONNECTION_INTERRUPTED:
            self.interrupted(None, now_ms)

    def stopped(self, reason: int, now_ms: int) -> None:
        """Zoom says that the stream is over: read what is still on its way until it closes the sockets."""
        if self.phase is Phase.RUNNING:
            ended = StreamEnded(EndCause.STOPPED, reason, retry.is_restartable(reason))
        elif self.phase is Phase.LEAVING:
            ended = StreamEnded(EndCause.CLOSED, reason)
        else:
            return
        self._finish_reading(ended, now_ms)

    def close_answered(self, status: int, now_ms: int) -> None:
        """Zoom's answer to `close`."""
        if self.phase is Phase.LEAVING:
            if status == Status.OK:
                ended = StreamEnded(EndCause.CLOSED, StopReason.RECEIVER_REQUEST_CLOSE)
            else:
                ended = StreamEnded(EndCause.CLOSED, confirmed=False)
            self._finish_reading(ended, now_ms)

    def acknowledge(self, now_ms: int) -> None:
        """Media may flow: tell Zoom, and the owner; again for every media socket that comes later."""
        self._send(SIGNALING, messages.client_ready_ack(self._params.stream_id))
        if not self._subscribed:
            self._subscribed = True
            self._send(SIGNALING, messages.event_subscription(self._events))
        missing = self.sockets.missing
        self._out.events.append(MediaReady(self._negotiation.agreed, again=self.connected_once, missing=missing))
        self.connected_once = True
        self._out.release()
        self.ticks.keep_to(self._silences())
        self.ticks.ready(self._negotiation.channels(), now_ms, missing)
        self.watching.restart()
        self.watch(now_ms)

    def watch(self, now_ms: int) -> None:
        """Ask for somebody's camera if that is due: after `watching` was told something, or nothing came for long."""
        video = self._negotiation.agreed.video
        if (
            video is None
            or video.data_opt != DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM
            or self.phase is not Phase.RUNNING
        ):
            return
        if (user_id := self.watching.pick(now_ms, self.ticks.heard_ms(Medium.VIDEO))) is not None:
            stamp_ms = self.ticks.zoom.now(now_ms) or 0
            self._send(SIGNALING, messages.video_subscription_request(user_id, subscribe=True, timestamp_ms=stamp_ms))
        self.sockets.deadlines.set(_CAMERA, self.watching.due_ms)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _connect(self, server_urls: tuple[str, ...], now_ms: int) -> None:
        link = self.sockets.signaling
        link.urls = self._policy.addresses.permitted(server_urls)
        if link.urls:
            self.sockets.open(link, now_ms)
        else:
            self._end(StreamEnded(EndCause.FORBIDDEN_ADDRESS), now_ms)

    def _acknowledge_when_complete(self, now_ms: int) -> None:
        if self._negotiation.is_complete(self.sockets.media):
            self.acknowledge(now_ms)

    def _silences(self) -> dict[Medium, Silence]:
        audio = self._negotiation.agreed.audio
        return silences(audio.send_rate if audio else 0)

    def _drop_media(self) -> None:
        for link in self.sockets.media:
            self.ticks.lost(link.channel)
            self.sockets.drain(link)

    def _closes_too_quickly(self, link: Link, now_ms: int) -> bool:
        if link.state is LinkState.UP:
            quick = now_ms - link.accepted_ms < QUICK_CLOSE_MS
            self._quick_closes = self._quick_closes + 1 if quick else 0
        return self._quick_closes >= MAX_QUICK_CLOSES

    def _wait_or_end(
        self, link: Link, delay_ms: int | None, now_ms: int, close_code: int | None, *, has_socket: bool
    ) -> None:
        self.ticks.lost(link.channel)
        self._negotiation.forget(link.channel)
        if delay_ms is not None:
            self.sockets.wait(link, delay_ms, now_ms, close_code, has_socket=has_socket)
            return
        if not has_socket:
            self.sockets.closed(link)
        never = EndCause.UNANSWERED if link.was_open else EndCause.UNREACHABLE
        cause = EndCause.WINDOW_PASSED if self.connected_once else never
        self._end(StreamEnded(cause, retryable=True), now_ms)

    def _go_on_without(self, link: Link, medium: Medium, code: int, now_ms: int) -> None:
        self._out.events.append(MediumRefused(medium, code))
        self._negotiation.refuse(medium)
        self.sockets.drain(link)
        link.media -= {medium}
        if link.media:
            self.sockets.open(link, now_ms)
            return
        others = [each for each in self.sockets.media if each.state is not LinkState.DRAINING]
        if others:
            self._acknowledge_when_complete(now_ms)
        else:
            self._end(StreamEnded(EndCause.REFUSED, code), now_ms)

    def _deadline_passed(self, link: Link, name: str, now_ms: int) -> None:
        if self.phase is not Phase.RUNNING:
            return
        if name == RETRY:
            self.sockets.open(link, now_ms)
        elif name == ANSWER or self._is_dead(link, name, now_ms):
            self.lost(link, now_ms)
        elif name == SUSPICION and link.moved_ms <= link.suspected_ms:
            self.ticks.lost(link.channel)
            self._negotiation.forget(link.channel)
            self.sockets.renew(link, now_ms)

    def _is_dead(self, link: Link, name: str, now_ms: int) -> bool:
        if name == WATCHDOG:
            return self.sockets.is_silent(link, now_ms)
        return name == PULSE and self.sockets.has_no_pulse(link, now_ms)

    # --- ending -----------------------------------------------------------------------------------------------------

    def _end(self, ended: StreamEnded, now_ms: int) -> None:
        """It is over from our side: close everything, then say so."""
        self._turn(Turn.ENDED)
        self._ended = ended
        self._drain_all(now_ms)

    def _finish_reading(self, ended: StreamEnded, now_ms: int) -> None:
        self._turn(Turn.ENDED)
        self._ended = ended
        self.sockets.deadlines.set(_END, now_ms + DRAIN_MS)
        self._settle()

    def _drain_all(self, now_ms: int) -> None:
        for link in list(self.sockets.links.values()):
            self.sockets.drain(link)
        self.sockets.deadlines.set(_END, now_ms + CLOSING_MS)
        self._settle()

    def _end_is_due(self, now_ms: int) -> None:
        """What was waited for has not come in time: the next step without it."""
        if self.phase is Phase.LEAVING:
            self._end(StreamEnded(EndCause.CLOSED, confirmed=False), now_ms)
        elif any(link.state in _WITH_PEER for link in self.sockets.links.values()):
            if self.phase is Phase.HANDING_OVER:
                self._ended = _UNCONFIRMED
            self._drain_all(now_ms)
        else:
            self._over()

    def _settle(self) -> None:
        """A socket closed or a phase changed: is it over now, or another socket's turn?"""
        if self.phase is Phase.HANDING_OVER and not self.sockets.media:
            self.sockets.drain(self.sockets.signaling)
        if self.phase in (Phase.ENDING, Phase.HANDING_OVER) and self.sockets.all_closed:
            self._over()

    def _over(self) -> None:
        assert self._ended is not None
        self._turn(Turn.SETTLED)
        self.sockets.deadlines.clear()
        self.ticks.stop()
        self._out.events.append(self._ended)

    def _turn(self, turn: Turn) -> None:
        self.phase = LIFE[self.phase][turn]

    def _send(self, channel: str, message: bytes) -> None:
        self._out.sends.append((channel, message))
