"""When a medium is silent, how far its readers may go on without it: decides the `tick` records.

A tick says that everything of a medium up to a Zoom time has been received. Silence alone proves nothing: the network
may have stalled. So a tick rests on evidence that came *through the same socket*, whose bytes keep their order: other
media's frames, keep-alives, and, when nothing else comes, the answer to a WebSocket ping that was sent when it was that
late at Zoom. From the evidence a slack is taken off, the longest that a frame of the medium may be on its way inside
Zoom (audio chunks are sent when they are full; captions are stamped with the utterance's begin).

Audio is buffered by Zoom while nobody is connected and comes in a burst. Ticks of audio are held back until nothing of
that burst has come for two seconds.

Driven by `stream`: `frame`, `told` and `pong` on arrival, `due` when `wake_ms` has passed. All `now_ms` are of one
monotonic clock; stamps and `through_ms` are Zoom's.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import SIGNALING, TickDue
from connectors.rtms.protocol.zoomtime import ZoomTime, is_possible

NEVER_MS = 2**62
REPEAT_MS = 1_000
BURST_QUIET_MS = 2_000
_BURST_LAG_MS = 1_000
_FRESH_MS = 150
_PONG_PATIENCE_MS = 10_000
_LONGEST_CHUNK_MS = 1_000


@dataclass(frozen=True, slots=True)
class Silence:
    """A medium is silent after `after_ms` without a frame; its ticks stay `slack_ms` behind the evidence."""

    after_ms: int
    slack_ms: int


def silences(audio_send_rate_ms: int = 100) -> dict[Medium, Silence]:
    """The rules for all six media; audio comes in chunks of `audio_send_rate_ms`, and none is longer than a second."""
    audio_ms = max(250, min(audio_send_rate_ms, _LONGEST_CHUNK_MS) + 150)
    return {
        Medium.AUDIO: Silence(audio_ms, audio_ms),
        Medium.VIDEO: Silence(1_000, 1_000),
        Medium.SHARE: Silence(1_000, 1_000),
        Medium.CAPTIONS: Silence(1_000, 30_000),
        Medium.CHAT: Silence(1_000, 1_000),
        Medium.EVENTS: Silence(1_000, 2_000),
    }


class _Socket:
    """What one channel has proved: `seen_ms` is the latest Zoom time before which everything sent has arrived."""

    __slots__ = ("answers_pings", "probe_ms", "probe_sent_ms", "seen_ms")

    def __init__(self, answers_pings: bool) -> None:
        self.seen_ms = 0
        self.answers_pings = answers_pings
        self.probe_ms: int | None = None
        self.probe_sent_ms = 0


class _Track:
    __slots__ = ("active_ms", "due_ms", "ready_ms", "rule", "socket", "stamp_ms", "starved", "through_ms")

    def __init__(self, rule: Silence) -> None:
        self.rule = rule
        self.socket = ""
        self.ready_ms = self.active_ms = self.stamp_ms = self.through_ms = 0
        self.due_ms = NEVER_MS
        self.starved = False


class Ticks:
    """The silence of all media of one stream; `wake_ms` is when `due` wants to be called, at the latest."""

    __slots__ = ("_sockets", "_tracks", "wake_ms", "zoom")

    def __init__(self, rules: Mapping[Medium, Silence] | None = None) -> None:
        self._tracks = {medium: _Track(rule) for medium, rule in (rules or silences()).items()}
        self._sockets: dict[str, _Socket] = {}
        self.wake_ms = NEVER_MS
        self.zoom = ZoomTime()

    def connected(self, channel: str, *, probing: bool) -> None:
        """A socket was accepted by Zoom; on a new signalling socket everything known about Zoom's time is void."""
        if channel == SIGNALING:
            self.zoom = ZoomTime()
        self._sockets[channel] = _Socket(probing)

    def keep_to(self, rules: Mapping[Medium, Silence]) -> None:
        """From now on these are the rules: what Zoom agreed to may differ from what was asked."""
        for medium, rule in rules.items():
            self._tracks[medium].rule = rule

    def ready(self, channel_of: Mapping[Medium, str], now_ms: int, missing: Collection[Medium] = ()) -> None:
        """Media flow from now on, these through these channels. Media not named are watched on any channel, but for
        those that are `missing`: these have one of their own, later."""
        spare = next(iter(channel_of.values()))
        for medium, track in self._tracks.items():
            if medium in missing:
                continue
            channel = SIGNALING if medium is Medium.EVENTS else channel_of.get(medium, spare)
            if track.due_ms == NEVER_MS or track.socket != channel:
                track.socket, track.ready_ms, track.active_ms = channel, now_ms, now_ms
                self._schedule(track, now_ms + track.rule.after_ms)

    def lost(self, channel: str) -> None:
        """The channel's socket is gone: no ticks of its media until they are ready again."""
        self._sockets.pop(channel, None)
        for track in self._tracks.values():
            if track.socket == channel:
                track.due_ms = NEVER_MS

    def frame(self, medium: Medium, channel: str, stamp_ms: int, now_ms: int) -> bool:
        """A frame arrived; False: its stamp cannot be true, it must not be passed on."""
        if not self.zoom.is_plausible(stamp_ms, now_ms):
            return False
        self.zoom.seen(stamp_ms, now_ms)
        socket = self._sockets.get(channel)
        if socket is not None and stamp_ms > socket.seen_ms:
            socket.seen_ms = stamp_ms
        track = self._tracks[medium]
        track.stamp_ms = stamp_ms
        track.active_ms = now_ms
        if track.due_ms != NEVER_MS:
            self._schedule(track, now_ms + track.rule.after_ms)
        return True

    def heard_ms(self, medium: Medium) -> int | None:
        """When its newest frame came, or when its socket was ready; None while it has none."""
        track = self._tracks[medium]
        return None if track.due_ms == NEVER_MS else track.active_ms

    def told(self, channel: str, stamp_ms: int, now_ms: int) -> None:
        """A keep-alive with this stamp arrived; one that cannot be proves nothing."""
        if not is_possible(stamp_ms):
            return
        if self.zoom.told(stamp_ms, now_ms):
            self._forget()
        self._prove(channel, stamp_ms, now_ms)

    def pong(self, channel: str, now_ms: int) -> None:
        """The answer to a probe arrived: all that Zoom sent before it answered is here."""
        socket = self._sockets.get(channel)
        if socket is not None and socket.probe_ms is not None:
            proved_ms, socket.probe_ms = socket.probe_ms, None
            self._prove(channel, proved_ms, now_ms)

    def stop(self) -> None:
        """No more ticks."""
        for track in self._tracks.values():
            track.due_ms = NEVER_MS
        self.wake_ms = NEVER_MS

    def due(self, now_ms: int) -> tuple[list[TickDue], list[str]]:
        """The ticks to write now, and the channels to send a ping on."""
        ticks: list[TickDue] = []
        probes: list[str] = []
        for medium, track in self._tracks.items():
            if track.due_ms <= now_ms:
                held_ms = self._held_until(track, now_ms) if medium is Medium.AUDIO else 0
                if held_ms > now_ms:
                    track.due_ms = held_ms
                elif self._needs_evidence(track, now_ms):
                    probes += self._probe(track.socket, now_ms)
                    track.starved = True
                    track.due_ms = now_ms + REPEAT_MS
                else:
                    ticks += self._tick(medium, track, now_ms)
        self.wake_ms = min(track.due_ms for track in self._tracks.values())
        return ticks, probes

    def _schedule(self, track: _Track, at_ms: int) -> None:
        track.due_ms = at_ms
        if at_ms < self.wake_ms:
            self.wake_ms = at_ms

    def _prove(self, channel: str, stamp_ms: int, now_ms: int) -> None:
        socket = self._sockets.get(channel)
        if socket is None:
            return
        socket.seen_ms = max(socket.seen_ms, stamp_ms)
        for track in self._tracks.values():
            if track.starved and track.socket == channel and track.due_ms != NEVER_MS:
                self._schedule(track, now_ms)

    def _forget(self) -> None:
        """What was proved was proved by a clock that was wrong: nothing would ever lie behind it."""
        for socket in self._sockets.values():
            socket.seen_ms, socket.probe_ms = 0, None
        for track in self._tracks.values():
            track.through_ms = 0

    def _held_until(self, track: _Track, now_ms: int) -> int:
        """Until when a burst of buffered audio may still be coming."""
        held_ms = track.ready_ms + BURST_QUIET_MS
        zoom_ms = self.zoom.now(track.active_ms)
        if track.stamp_ms and zoom_ms is not None:
            lag_ms = zoom_ms - track.stamp_ms
            if lag_ms > _BURST_LAG_MS + 2 * track.rule.after_ms:
                held_ms = max(held_ms, track.active_ms + BURST_QUIET_MS)
        return held_ms

    def _needs_evidence(self, track: _Track, now_ms: int) -> bool:
        """Whether a ping would prove more than is known; asked once, then the tick goes with what there is."""
        socket = self._sockets[track.socket]
        zoom_ms = self.zoom.now(now_ms)
        if track.starved or not socket.answers_pings or zoom_ms is None:
            return False
        return zoom_ms - socket.seen_ms > _FRESH_MS

    def _probe(self, channel: str, now_ms: int) -> Iterable[str]:
        socket = self._sockets[channel]
        if socket.probe_ms is not None:
            if now_ms - socket.probe_sent_ms > _PONG_PATIENCE_MS:
                socket.answers_pings = False
            return ()
        socket.probe_ms, socket.probe_sent_ms = self.zoom.now(now_ms), now_ms
        return (channel,)

    def _tick(self, medium: Medium, track: _Track, now_ms: int) -> Iterable[TickDue]:
        silent_ms = now_ms - track.active_ms
        pause_ms = max(silent_ms, track.rule.after_ms)
        # Silences are told at 250, 500, 1000 ms; then all media at the same moments, so that one ping serves them all,
        # but not all streams of a worker at once: those moments are counted from when the stream was ready.
        since_ready_ms = now_ms - track.ready_ms
        track.due_ms = now_ms + (pause_ms if pause_ms < REPEAT_MS else REPEAT_MS - since_ready_ms % REPEAT_MS)
        track.starved = False
        through_ms = self._sockets[track.socket].seen_ms - track.rule.slack_ms
        if through_ms <= track.through_ms:
            return ()
        track.through_ms = through_ms
        return (TickDue(medium, through_ms),)
