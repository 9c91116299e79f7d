"""The sockets of one stream as the protocol sees them: wishes to the shell, and what becomes of each.

Rules of this file: every step of a link is taken here, together with the deadline that goes with it; why a socket is
opened, dropped or tried again is `connection`'s business.
"""

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import SIGNALING, ProbeWanted, SocketLost, SocketUnwanted, SocketWanted
from connectors.rtms.protocol.links import HAS_SOCKET, Deadlines, Link, LinkState, Step
from connectors.rtms.protocol.outbox import Outbox
from connectors.rtms.protocol.retry import SIGNALING_WINDOW_MS

ANSWER = "answer"
RETRY = "retry"
WATCHDOG = "watchdog"
SUSPICION = "suspicion"
PULSE = "pulse"

_COMING = frozenset({LinkState.OPENING, LinkState.GREETING, LinkState.WAITING})

QUIET_MS = 2_000
"""After so long without a message the signalling socket is asked whether it lives; ticks ask the media sockets."""

PULSE_MS = 5_000
"""Nothing at all for so long, an answer to a ping included: the socket is gone, whatever the network says."""


class Sockets:
    """All links; `signaling` is always there, media links come and go with Zoom's offers."""

    __slots__ = ("_answer_ms", "_answers", "_out", "_watchdog_ms", "deadlines", "links", "signaling")

    def __init__(self, out: Outbox, *, answer_ms: int, watchdog_ms: int) -> None:
        self._out = out
        self._answer_ms = answer_ms
        self._watchdog_ms = watchdog_ms
        self._answers = False  # whether this Zoom answers pings: one of its sockets has
        self.deadlines = Deadlines()
        self.signaling = Link(SIGNALING, SIGNALING_WINDOW_MS)
        self.links: dict[str, Link] = {SIGNALING: self.signaling}

    @property
    def media(self) -> list[Link]:
        """The media links."""
        return [link for link in self.links.values() if link is not self.signaling]

    @property
    def missing(self) -> frozenset[Medium]:
        """What has a socket of its own that does not stand yet, or not again."""
        return frozenset[Medium]().union(*(link.media for link in self.media if link.state in _COMING))

    @property
    def all_closed(self) -> bool:
        """Whether no socket is left."""
        return not any(link.state in HAS_SOCKET for link in self.links.values())

    def open(self, link: Link, now_ms: int) -> None:
        """Wish for the link's socket; no answer within the deadline counts as a loss."""
        self._forget(link)
        self.links[link.channel] = link
        link.away_ms(now_ms)
        link.take(Step.WISHED)
        self.deadlines.set((link.channel, ANSWER), now_ms + self._answer_ms)
        self._out.events.append(SocketWanted(link.channel, link.url))

    def opened(self, link: Link, now_ms: int) -> None:
        """The socket stands and the handshake was sent: the answer has its own deadline."""
        link.take(Step.OPENED)
        link.was_open = True
        link.heard_ms = now_ms
        self.deadlines.set((link.channel, ANSWER), now_ms + self._answer_ms)

    def accepted(self, link: Link, now_ms: int) -> None:
        """Zoom accepted the handshake."""
        self._forget(link)
        link.take(Step.ACCEPTED)
        link.accepted_ms = link.heard_ms = now_ms
        link.attempt = 0
        link.away_since_ms = None
        self.deadlines.set((link.channel, WATCHDOG), now_ms + self._watchdog_ms)

    def is_silent(self, link: Link, now_ms: int) -> bool:
        """The watchdog's question. False sets it again from what was heard last."""
        silent_at_ms = link.heard_ms + self._watchdog_ms
        if silent_at_ms <= now_ms:
            return True
        self.deadlines.set((link.channel, WATCHDOG), silent_at_ms)
        return False

    def ask(self, link: Link, now_ms: int) -> None:
        """Send a ping: who lives answers it."""
        self._out.events.append(ProbeWanted(link.channel))
        if link.state is LinkState.UP:
            link.asked_ms = now_ms
            self.deadlines.set((link.channel, PULSE), now_ms + PULSE_MS)

    def ask_when_quiet(self, link: Link, since_ms: int) -> None:
        """For a socket that nobody else asks; `since_ms` is when it last showed that it lives."""
        self.deadlines.set((link.channel, PULSE), since_ms + QUIET_MS)

    def answered(self, link: Link, now_ms: int) -> None:
        """A pong came: the network is there, and whether Zoom is, its messages say."""
        self._answers = True
        if link.asked_ms is not None and link is self.signaling:
            self.ask_when_quiet(link, now_ms)
        link.asked_ms = None

    def has_no_pulse(self, link: Link, now_ms: int) -> bool:
        """What there is to say when the deadline `PULSE` has passed. False asks, or waits, again."""
        if link.asked_ms is None:
            if link is self.signaling:
                self._ask_if_quiet(link, now_ms)
            return False
        silent_at_ms = max(link.asked_ms, link.moved_ms) + PULSE_MS
        if silent_at_ms > now_ms:
            self.deadlines.set((link.channel, PULSE), silent_at_ms)
        return silent_at_ms <= now_ms and self._answers

    def _ask_if_quiet(self, link: Link, now_ms: int) -> None:
        if link.heard_ms + QUIET_MS <= now_ms:
            self.ask(link, now_ms)
        else:
            self.ask_when_quiet(link, link.heard_ms)

    def wait(self, link: Link, delay_ms: int, now_ms: int, close_code: int | None, *, has_socket: bool) -> None:
        """The socket is of no use any more; wish for another one after `delay_ms`."""
        self._forget(link)
        if has_socket:
            self._out.events.append(SocketUnwanted(link.channel))
        link.attempt += 1
        link.take(Step.FAILED)
        self.deadlines.set((link.channel, RETRY), now_ms + delay_ms)
        self._out.events.append(SocketLost(link.channel, close_code, delay_ms))

    def renew(self, link: Link, now_ms: int) -> None:
        """Another one in its place, at once: between the two Zoom sends to nobody."""
        self.drain(link)
        self._out.events.append(SocketLost(link.channel, None, 0))
        self.open(link, now_ms)

    def drain(self, link: Link) -> None:
        """No longer wanted; closed once its end is reported."""
        self._forget(link)
        was_draining = link.state is LinkState.DRAINING
        link.take(Step.UNWANTED)
        if link.state is LinkState.DRAINING and not was_draining:
            self._out.events.append(SocketUnwanted(link.channel))
        elif link.state is LinkState.IDLE:
            self._remove(link)

    def closed(self, link: Link) -> None:
        """The socket is gone and nothing follows from it; a media link is forgotten, another offer brings new ones."""
        self._forget(link)
        link.take(Step.CLOSED)
        self._remove(link)

    def _remove(self, link: Link) -> None:
        if link is not self.signaling:
            self.links.pop(link.channel, None)

    def _forget(self, link: Link) -> None:
        link.asked_ms = None
        self.deadlines.cancel(*((link.channel, name) for name in (ANSWER, RETRY, WATCHDOG, SUSPICION, PULSE)))
