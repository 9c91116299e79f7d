"""One simulated RTMS stream: the meeting it plays, who is connected to it, and how it begins, breaks and ends.

It decides what follows from what: which sockets go when another one is lost, how long it waits for the client to come
back, in which order it says goodbye. `signalling` and `media` hold the conversations on the sockets.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from connectors.host.logs import get_logger
from connectors.rtms.protocol.codes import (
    CONTACT_CENTER,
    EventType,
    Medium,
    SessionState,
    StopReason,
    StreamState,
)
from connectors.rtms.simulator import mishaps, webhooks
from connectors.rtms.simulator.attendance import Attendance
from connectors.rtms.simulator.channel import Channel, EndedBy, Framing
from connectors.rtms.simulator.faults import Fault, FaultKind, Faults
from connectors.rtms.simulator.frames import EventFrame, RecordedFrame
from connectors.rtms.simulator.identity import Identity
from connectors.rtms.simulator.links import MediaLink, SignallingLink
from connectors.rtms.simulator.meeting import Meeting
from connectors.rtms.simulator.rules import Rules
from connectors.rtms.simulator.truth import Truth
from connectors.rtms.simulator.webhooks import Shape, Webhooks
from connectors.rtms.simulator.wire import Manner
from connectors.rtms.simulator.zoomclock import ZoomClock

log = get_logger(__name__)

_LAST_FRAMES_S = 5.0
"""How long the end waits for frames that are due but not yet taken by the client."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose camera the client asked for, None for nobody's; `number` tells one choice from the next."""

    user_id: int | None = None
    number: int = 0


class Stream:
    """From `rtms_started` to `rtms_stopped`. `run` plays it. `following` is the one that begins anew under its id."""

    def __init__(  # noqa: PLR0913 - everything that one stream is made of
        self,
        meeting: Meeting,
        identity: Identity,
        rules: Rules,
        faults: Faults,
        clock: ZoomClock,
        hooks: Webhooks,
        webhook_shape: Shape | None = None,
    ) -> None:
        self.meeting = meeting
        self.identity = identity
        self.rules = rules
        self.faults = faults
        self.clock = clock
        self.truth = Truth(meeting)
        self.attendance = Attendance(meeting.script.cast)
        self.signalling: SignallingLink | None = None
        self.media: list[MediaLink] = []
        self.stream_state = StreamState.INACTIVE
        self.session_state = SessionState.INITIALIZE
        self.stop_reason: StopReason | None = None
        self.ended = asyncio.Event()
        self.following: asyncio.Future[Stream | None] = asyncio.get_running_loop().create_future()
        self.audio_sent: tuple[int, int] = (0, 0)
        self.repeated: Counter[Medium] = Counter()
        self._ready = asyncio.Event()
        self.webhook_shape = webhook_shape or hooks.shape
        self.dead_paths: set[str] = set()
        self.watched = Watched()
        self.picture_bytes = 0
        self._address, self._began_s = "", 0.0
        self._hooks = hooks
        self._hook_order = asyncio.Lock()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._window: asyncio.Task[None] | None = None

    # --- its life ---------------------------------------------------------------------------------------------------

    async def run(self, address: str) -> None:
        """Announce the stream at the server's address, play the meeting's events, end it."""
        self._address, self._began_s = address, asyncio.get_running_loop().time()
        try:
            for _ in range(2 if self.faults.has(FaultKind.DUPLICATE_WEBHOOK) else 1):
                self.announce_start()
            for fault in self.faults.timed():
                self.spawn(mishaps.happen(self, fault))
            playing, stopping = self.spawn(self._play()), self.spawn(self._wait_for_stop())
            await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            playing.cancel()
            await self._finish(self.stop_reason or self.meeting.stop_reason)
        finally:
            self.stream_state = StreamState.TERMINATED
            for task in list(self._tasks):
                task.cancel()
            self.ended.set()

    async def _wait_for_stop(self) -> None:
        await self._stop.wait()

    def stop(self, reason: StopReason) -> None:
        """End the stream now; the first reason counts."""
        self.stop_reason = self.stop_reason or reason
        self._stop.set()

    @property
    def was_stopped(self) -> bool:
        """Whether it was ended before the meeting's own end."""
        return self._stop.is_set()

    @property
    def is_over(self) -> bool:
        """Whether nobody can connect any more."""
        return self.stream_state is StreamState.TERMINATED

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside the stream that ends with it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part of the stream failed", stream_id=self.identity.stream_id, exc_info=error)

    async def _play(self) -> None:
        for frame in self.meeting.of_medium(Medium.EVENTS):
            await self.clock.until(frame.due_ms)
            if isinstance(frame, RecordedFrame):
                await self._repeat(frame)
            elif isinstance(frame, EventFrame):
                await self._tell(frame)
        await self.clock.until(self.meeting.end_ms)
        senders = [socket.sender for socket in self.media if socket.sender is not None]
        if senders:
            await asyncio.wait(senders, timeout=_LAST_FRAMES_S)

    async def _repeat(self, frame: RecordedFrame) -> None:
        if not self._ready.is_set():
            await self._until_ready_or_over()
        if self.signalling is not None:
            await self.signalling.repeat(frame)

    async def _until_ready_or_over(self) -> None:
        """A recording waits for its client, but not longer than it lasts; one that is played fast, for a handshake."""
        waiting = {asyncio.create_task(self._ready.wait()), asyncio.create_task(self._until_nobody_comes())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def _until_nobody_comes(self) -> None:
        await asyncio.sleep(self._began_s + self.rules.handshake_s - asyncio.get_running_loop().time())
        await self.clock.until(self.meeting.end_ms)

    async def _tell(self, frame: EventFrame) -> None:
        self.attendance.apply(frame)
        if self.watched.user_id is not None and not self.attendance.has_camera(self.watched.user_id):
            self.watch(None)
        if self.signalling is not None:
            await self.signalling.tell(frame)

    async def _finish(self, reason: StopReason) -> None:
        self.stop_reason = reason
        if self._window is not None:
            self._window.cancel()
        if self.signalling is not None:
            await self.signalling.say_session_state(SessionState.STOPPED, reason)
            await self.signalling.say_stream_state(StreamState.TERMINATED, reason)
        self.stream_state, self.session_state = StreamState.TERMINATED, SessionState.STOPPED
        channels = [socket.channel for socket in self.media]
        if self.signalling is not None:
            channels.append(self.signalling.channel)
        await self._farewell(channels)
        await asyncio.gather(*(channel.close() for channel in channels))
        await self.announce("stopped", webhooks.stopped(self.identity, reason))
        log.info("stream ended", stream_id=self.identity.stream_id, reason=reason.name.lower())

    async def _farewell(self, channels: Sequence[Channel]) -> None:
        """Wait while the client leaves: which of its sockets it hears first is chance, and only one says why."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.rules.farewell_s):
                await asyncio.gather(*(channel.closed() for channel in channels))

    def announce_start(self) -> None:
        """Send the started webhook with the address of now."""
        self.announce("started", webhooks.started(self.identity, self._address + self.signalling_path))

    def announce(self, verb: str, fields: dict[str, Any]) -> asyncio.Task[None]:
        """Send a webhook beside everything else, after those before it; to be awaited or not."""
        return self.spawn(self._post(webhooks.event_name(self.identity, verb), fields))

    async def _post(self, event: str, fields: dict[str, Any]) -> None:
        async with self._hook_order:
            delivery = await self._hooks.post(event, fields, self.webhook_shape)
        if delivery is not None:
            self.truth.webhooks.append(asdict(delivery))

    # --- connections ------------------------------------------------------------------------------------------------

    @property
    def signalling_path(self) -> str:
        """The path in `server_urls`; another one after each move."""
        moves = len(self.dead_paths)
        return f"/signalling/{self.identity.stream_id}" + (f"/{moves}" if moves else "")

    def has_individual_video(self) -> bool:
        """Whether a socket was agreed on that carries the camera which the client chooses."""
        return any(socket.agreement.individual for socket in self.media)

    def watch(self, user_id: int | None) -> None:
        """The client chose another camera, or none."""
        self.watched = Watched(user_id, self.watched.number + 1)

    def furnish(self, channel: Channel) -> None:
        """Make an accepted connection speak as this stream does."""
        channel.framing = self.framing
        channel.is_deaf = self.faults.has(FaultKind.UNHEARD_ANSWERS)
        channel.clock = self.clock

    def keep_alive(self, channel: Channel) -> None:
        """Ask whether the client is there, if this stream does."""
        if not self.faults.has(FaultKind.NO_KEEP_ALIVES, self.elapsed_s()):
            channel.keep_alive(self.rules.keep_alive_s)

    @property
    def manner(self) -> Manner:
        """How messages of this stream are written."""
        return Manner(
            string_ids=self.faults.has(FaultKind.STRING_IDS),
            captions_in_us=self.faults.has(FaultKind.CAPTIONS_IN_US),
            channels=self.identity.product == CONTACT_CENTER,
        )

    def elapsed_s(self) -> float:
        """How long the meeting has been going on, in its own time."""
        return (self.clock.now_ms() - self.meeting.start_ms) / 1000

    @property
    def framing(self) -> Framing:
        """How messages of this stream are framed."""
        if self.faults.has(FaultKind.MIXED_FRAMING):
            return Framing.MIXED
        return Framing.BINARY if self.faults.has(FaultKind.BINARY) else self.rules.framing

    def take_signalling(self, signalling: SignallingLink) -> None:
        """A signalling handshake was accepted; what was connected before goes."""
        if self._window is not None:
            self._window.cancel()
            self._window = None
        previous, self.signalling = self.signalling, signalling
        sockets, self.media = self.media, []
        replaced = [socket.channel for socket in sockets] + ([] if previous is None else [previous.channel])
        for channel in replaced:  # beside: an old client that has frozen must not hold up the new one
            self.spawn(channel.close(EndedBy.REPLACED))

    def signalling_lost(self, signalling: SignallingLink) -> None:
        """A signalling connection ended. If it was the one that counted, everything else is cut and the wait begins."""
        if signalling is not self.signalling or self.is_over:
            return
        self.signalling = None
        self._ready.clear()
        self.stream_state = StreamState.INTERRUPTED
        sockets, self.media = self.media, []
        for socket in sockets:
            socket.channel.cut(EndedBy.INTERRUPTED)
        log.info("signalling lost", stream_id=self.identity.stream_id, ended_by=signalling.channel.ended_by)
        self.announce("interrupted", webhooks.interrupted(self.identity))
        self.await_return()

    def await_return(self) -> None:
        """Give up if signalling does not come back in time."""
        if self._window is not None:
            self._window.cancel()
        self._window = self.spawn(
            self._give_up_after(self.rules.signalling_window_s, StopReason.AWAIT_RECONNECTION_TIMEOUT)
        )

    async def _give_up_after(self, seconds: float, reason: StopReason) -> None:
        await asyncio.sleep(seconds)
        self.stop(reason)

    async def media_lost(self, socket: MediaLink) -> None:
        """A media connection ended; the client is told on signalling and has a while to come back."""
        if socket not in self.media:
            return
        self.media.remove(socket)
        signalling = self.signalling  # it may be lost as well while it is being told
        if signalling is None or self.is_over or socket.sender is None:
            return
        await signalling.say_event(EventType.MEDIA_CONNECTION_INTERRUPTED, mishaps.mask_field(socket.media))
        if signalling is not self.signalling:
            return
        await signalling.say_stream_state(StreamState.INTERRUPTED, StopReason.DATA_CONNECTION_INTERRUPTED)
        self.spawn(self._miss(socket.media, signalling))

    async def _miss(self, media: frozenset[Medium], signalling: SignallingLink) -> None:
        await asyncio.sleep(self.rules.media_window_s)
        connected: frozenset[Medium] = frozenset().union(*(socket.media for socket in self.media))
        if self.signalling is signalling and not media <= connected:
            self.stop(StopReason.DATA_CONNECTION_CLOSED_ABNORMALLY)

    async def client_ready(self, signalling: SignallingLink) -> None:
        """Message 7: states first, then the media of every socket that was waiting."""
        waiting = [socket for socket in self.media if socket.sender is None]
        if not waiting:
            if not self.media:
                self.truth.complain("ready ack before any media handshake")
            return
        if self.stream_state is not StreamState.ACTIVE or not signalling.was_ready:
            await signalling.say_stream_state(StreamState.ACTIVE)
        if not signalling.was_ready:
            await signalling.say_session_state(SessionState.STARTED)
        signalling.was_ready = True
        self._ready.set()
        for socket in waiting:
            socket.start()

    # --- what goes wrong ---------------------------------------------------------------------------------------------

    def schedule(self, fault: Fault) -> None:
        """One more fault in a running stream; BadFault where it makes no sense any more."""
        known = self.faults.timed()
        self.faults.add(fault, self.elapsed_s())
        for one in self.faults.timed()[len(known) :]:
            self.spawn(mishaps.happen(self, one))

    def is_paused(self, at_ms: int) -> bool:
        """Whether the stream is paused at that time."""
        at_s = (at_ms - self.meeting.start_ms) / 1000
        pauses = (fault for fault in self.faults.timed() if fault.kind is FaultKind.PAUSE)
        return any((pause.at_s or 0) <= at_s < (pause.at_s or 0) + pause.for_s for pause in pauses)

    def channels(self) -> list[Channel]:
        """All connections that count."""
        first = [] if self.signalling is None else [self.signalling.channel]
        return first + [socket.channel for socket in self.media]
