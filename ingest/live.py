"""One claimed session: what Zoom says becomes records, from the first `begin` to the last `end`.

The protocol and its sockets are `connectors.rtms`'s; this is the listener that it calls, in the event loop and in
order. Nothing here waits while the reader could be reading.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from connectors.host import traces
from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.kafka.dead_letters import DeadLetters
from connectors.kafka.errors import KafkaError
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import (
    SIGNALING,
    CaptionReceived,
    ChatReceived,
    EndCause,
    FrameReceived,
    FrameRejected,
    MediaReady,
    MediumRefused,
    OwnerEvent,
    SecondRefused,
    SignalingAccepted,
    SocketLost,
    StreamEnded,
    TickDue,
    ZoomEvent,
)
from connectors.rtms.session import RtmsSession
from ingest import metrics, translation
from ingest.attending import Attending
from ingest.facts import Facts, insist
from ingest.letters import Letters
from ingest.publisher import Frame, Publisher
from ingest.reception import EVERY_MEDIUM, Reception
from ingest.refusals import CannotJoin
from ingest.worker import Outcome
from schemas import settings as session_settings
from schemas import stops, topics
from schemas.records import AppSession, Begin, Caption, Chat, Event, FactKind, Hole
from schemas.sessions import State
from schemas.topics import Topic

log = get_logger(__name__)

HOUSEKEEPING_S = 0.5
FIRST_REST_S = 0.05
SETTLE_POLL_S = 0.01
INTERNAL_ERROR = "internal_error"
LEFT = "left"
RECORD_TOO_LARGE = "record_too_large"

TOPIC_OF: dict[Medium, Topic] = {
    Medium.AUDIO: topics.AUDIO,
    Medium.VIDEO: topics.VIDEO,
    Medium.SHARE: topics.SHARE,
    Medium.CAPTIONS: topics.CAPTIONS,
    Medium.CHAT: topics.CHAT,
    Medium.EVENTS: topics.EVENTS,
}

CreateSession = Callable[[AppSession, Callable[[OwnerEvent], None]], Awaitable[RtmsSession]]

Ask = Callable[[str, int, tuple[str, ...]], None]
"""Asks the workers at these addresses to let the session go that is ours since this epoch; waits for nothing."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every live session of a worker shares."""

    worker: str
    facts: Facts
    letters: DeadLetters
    clock: Clock
    create_session: CreateSession
    ask: Ask
    hand_over_s: float
    new_start_s: float


class LiveSession:
    """`worker.Live` for a real stream."""

    def __init__(self, publisher: Publisher, state: AppSession, around: Surroundings) -> None:
        self._publisher = publisher
        self._identity = publisher.identity
        self._state = self._newest = state
        self._before = state.addresses
        self._around = around
        self._attending = Attending(
            publisher.identity.session_id,
            self._create_session,
            around.new_start_s,
            lambda: self._spawn_fact(FactKind.STREAM_STOPPED),
            self._left_s,
        )
        self._ready = asyncio.Event()
        self._reception = Reception()
        self._last_ms = 0
        self._began_ns = traces.now_ns()
        self._letters = Letters(around.letters, publisher.identity)
        self._unstated: deque[Hole] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- worker.Live ---

    async def run(self) -> Outcome:
        """What goes wrong in one session ends it, and no other; without Kafka the whole process is of no use."""
        try:
            return await self._run()
        except CannotJoin as error:
            log.error("cannot join", session_id=self._identity.session_id, reason=str(error))
            return Outcome(self._failure(), str(error))
        except KafkaError:
            raise
        except Exception:  # the session's edge
            metrics.SESSION_FAILURES.inc()
            log.exception("session failed", session_id=self._identity.session_id)
            return Outcome(self._failure(), INTERNAL_ERROR)

    async def _run(self) -> Outcome:
        attending = asyncio.create_task(self._attending.run())
        keeping = {asyncio.create_task(self._keep_house()), asyncio.create_task(self._keep_stating())}
        try:
            done, _ = await asyncio.wait({attending, *keeping}, return_when=asyncio.FIRST_COMPLETED)
            for failed in keeping & done:
                failed.result()  # they only ever end by failing
            ended = await attending
        finally:
            for task in (*keeping, attending):
                task.cancel()
        if ended is None:
            return Outcome(self._failure(), LEFT)
        return translation.outcome(ended, connected_before=self._state.connected_once)

    async def _create_session(self) -> RtmsSession:
        """For the newest addresses, which may change while this waits for the credentials."""
        while True:
            state = self._state
            session = await self._around.create_session(state, self.on_event)
            if state is self._state:
                return session

    def _left_s(self) -> float | None:
        """Of the time for a new start, where the state says that the stream was stopped."""
        left_ms = stops.left_ms(self._newest, round(self._around.new_start_s * 1000), self._around.clock.now_ms())
        return None if left_ms is None else left_ms / 1000

    def _failure(self) -> FactKind:
        connected = self._ready.is_set() or self._state.connected_once
        return FactKind.STREAM_OVER if connected else FactKind.CONNECTION_FAILED

    async def finish(self, *, close_stream: bool) -> None:
        self._attending.leave()
        if self._attending.session is not None and close_stream:
            self._attending.session.close()
        elif self._attending.session is not None:
            self._attending.session.hand_over()
        await self._stopped()
        self._publisher.end(max(self._last_ms or self._ended_ms(), self._told_ms()), self._around.clock.now_us())
        await self._settled()

    async def hand_over(self) -> None:
        self._attending.leave()
        if self._attending.session is not None:
            self._attending.session.hand_over()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._around.hand_over_s):
                await self._stopped()
                await self._settled()  # of what Kafka refuses it is stated that it is missing before that nothing is
                if self._is_sound_whole():
                    self._publisher.handed_over(self._last_ms, self._around.clock.now_us())
                    await self._settled()
        self._publisher.release()

    def _is_sound_whole(self) -> bool:
        """Whether Zoom closed the sockets as it was asked to, and keeps what is said until somebody connects."""
        running = self._attending.running
        if running is None or running.cancelled() or running.exception() is not None:
            return False
        ended = running.result()
        is_read = ended.cause is EndCause.HANDED_OVER and ended.confirmed
        has_all = is_read and self._last_ms > 0 and self._reception.has_socket(topics.AUDIO.medium)
        return has_all and session_settings.loads(self._state.settings).buffered_audio

    def follow(self, state: AppSession) -> None:
        """Zoom announces a stream again when its server failed; the same addresses again are only a retry."""
        self._newest = state
        server_urls = state.request.server_urls
        if set(server_urls) == set(self._state.request.server_urls):
            return
        log.info("stream announced elsewhere", session_id=self._identity.session_id)
        self._state = state
        self.announced()
        if self._attending.session is not None:
            self._reception.lost(EVERY_MEDIUM)
            self._attending.session.reconnect(server_urls)

    def announced(self) -> None:
        self._attending.announced()

    def let_go(self) -> None:
        self._attending.leave()
        if self._attending.running is not None:
            self._attending.running.cancel()

    # --- what Zoom says ---

    def on_event(self, event: OwnerEvent) -> None:
        """Called by the session for everything that happened, in order."""
        arrived_us = self._around.clock.now_us()
        match event:
            case FrameReceived():
                self._on_frame(event, arrived_us)
            case TickDue():
                self._reception.tick(event.medium, event.through_ms)
                self._publisher.tick(TOPIC_OF[event.medium], event.through_ms, arrived_us)
            case CaptionReceived():
                self._on_text(topics.CAPTIONS, translation.caption(self._identity, event, arrived_us))
            case ChatReceived():
                self._on_text(topics.CHAT, translation.chat(self._identity, event, arrived_us))
            case ZoomEvent():
                self._on_text(topics.EVENTS, translation.meeting_event(self._identity, event, arrived_us))
            case FrameRejected():
                self._on_rejected(event)
            case MediaReady():
                self._on_ready(event, arrived_us)
            case _:
                self._on_connection(event)

    def _on_text(self, topic: Topic, record: Caption | Chat | Event) -> None:
        self._reception.frame(topic.medium, record.timestamp_ms)
        self._publisher.text(topic, record)

    def _on_frame(self, event: FrameReceived, arrived_us: int) -> None:
        self._reception.frame(event.medium, event.timestamp_ms)
        who = translation.participant(event.user_id, event.channel_id)
        frame = Frame(who, event.user_name, event.timestamp_ms, arrived_us, event.payload, event.key_frame)
        if event.medium is Medium.AUDIO:
            self._publisher.audio(frame)
        else:
            self._publisher.picture(TOPIC_OF[event.medium], frame)
        if event.timestamp_ms > self._last_ms:
            self._last_ms = event.timestamp_ms

    def _put_oversized_aside(self) -> None:
        for excerpt in self._publisher.take_oversized():
            self._letters.put_aside(RECORD_TOO_LARGE, excerpt)

    def _on_ready(self, event: MediaReady, arrived_us: int) -> None:
        encodings = translation.encodings(event.negotiated)
        begins_anew = self._attending.connected()
        if begins_anew:
            self._reception.lost(EVERY_MEDIUM)  # what happened since it was stopped was sent to nobody
        self._reception.ready(self._around.clock.now_ms(), event.missing)
        self._reception.chunk_ms, self._reception.is_mixed = encodings.chunk_ms, encodings.is_mixed
        if self._ready.is_set():
            self._publisher.agree(encodings)
            if begins_anew:
                self._spawn_fact(FactKind.CONNECTED)
            return
        self._ready.set()
        negotiated = translation.negotiated_json(event.negotiated)
        state = self._state
        begin = Begin(self._around.worker, state.settings, negotiated, state.project_id, self._identity.follows)
        self._publisher.begin(begin, encodings, self._around.clock.now_ms(), arrived_us)
        self._spawn_fact(FactKind.CONNECTED)
        epoch = self._identity.epoch
        traces.span(self._identity.session_id, "connect", self._began_ns, str(epoch), epoch=epoch)

    def _on_rejected(self, event: FrameRejected) -> None:
        self._letters.put_aside(event.reason, event.raw)
        if event.medium is not None:
            self._publisher.lost(TOPIC_OF[event.medium], event.timestamp_ms, event.reason)

    def _on_connection(self, event: OwnerEvent) -> None:
        session_id = self._identity.session_id
        match event:
            case SignalingAccepted():
                log.info("signalling accepted", session_id=session_id, offered=list(event.offered))
            case MediumRefused():
                log.warning("medium refused", session_id=session_id, medium=event.medium, code=event.code)
                self._spawn_fact(FactKind.MEDIUM_REFUSED, reason=translation.refused(event))
            case SecondRefused():
                self._around.ask(session_id, self._identity.epoch, self._before)
            case SocketLost():
                log.warning("socket lost", session_id=session_id, channel=event.channel, code=event.close_code)
                closed_ms = self._around.clock.now_ms() if _is_in_order(event) else None
                self._reception.lost(_media_through(event.channel), closed_ms=closed_ms)
            case StreamEnded():
                if event.cause is not EndCause.HANDED_OVER:
                    self._reception.over(self._around.clock.now_ms())
                log.info("stream ended", session_id=session_id, cause=event.cause, code=event.code)

    # --- keeping house ---

    async def _keep_house(self) -> None:
        """Soon again at first: who speaks while Kafka is given the begins must not wait for the next one to speak."""
        while not self._ready.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HOUSEKEEPING_S):
                    await self._ready.wait()
            self._look_after()
        rest_s = FIRST_REST_S
        while True:
            await asyncio.sleep(rest_s)
            self._look_after()
            rest_s = min(2 * rest_s, HOUSEKEEPING_S)

    def _look_after(self) -> None:
        self._publisher.send()
        self._publisher.count()
        self._put_oversized_aside()
        self._letters.send()

    async def _keep_stating(self) -> None:
        """Apart from the rest, because it waits for Kafka."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            await self._state_holes()

    async def _state_holes(self) -> None:
        """A hole leaves the list only when Kafka has the fact: whoever is cancelled meanwhile has a successor."""
        self._unstated.extend((*self._publisher.take_holes(), *self._reception.take_holes()))
        while self._unstated:
            hole = self._unstated[0]
            await self._insist(FactKind.HOLE_FOUND, hole=hole)
            if self._unstated and self._unstated[0] is hole:
                self._unstated.popleft()

    def _told_ms(self) -> int:
        """What is told without media: somebody came, the stream was paused, all were silent. Not in the future."""
        return min(max(self._reception.through_ms.values(), default=0), self._around.clock.now_ms())

    def _ended_ms(self) -> int:
        """When the session ended of which nothing was heard here: when somebody said so."""
        if self._state.state == State.DISCONNECTING:
            return self._state.history[-1].created_at_ms
        return self._around.clock.now_ms()

    async def _stopped(self) -> None:
        """The session's sockets are closed and what they had brought has been handed over."""
        if self._attending.running is not None:
            await asyncio.wait([self._attending.running])

    async def _settled(self) -> None:
        """Kafka has taken or refused everything; what it refused has been stated, and all else that there was to state.

        A successor's claim would make what is stated after it count no more.
        """
        self._put_oversized_aside()
        while self._publisher.unsettled or self._letters.unsettled:
            self._publisher.send()
            self._letters.send()
            await asyncio.sleep(SETTLE_POLL_S)
        self._publisher.count()
        await self._state_holes()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _spawn_fact(self, kind: FactKind, reason: str | None = None) -> None:
        """State something while the reader goes on reading."""
        task = asyncio.create_task(self._insist(kind, reason=reason))
        self._tasks.add(task)
        task.add_done_callback(self._stated)

    def _stated(self, task: asyncio.Task[None]) -> None:
        """`insist` waits out whatever passes, so an error is a mistake of ours: said, for nobody awaits the task."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("fact not stated", session_id=self._identity.session_id, error=type(error).__name__)

    async def _insist(self, kind: FactKind, **said: Hole | str | None) -> None:
        identity = self._identity
        await insist(self._around.facts, identity.session_id, identity.partition, kind, epoch=identity.epoch, **said)


def _is_in_order(lost: SocketLost) -> bool:
    """Whether Zoom closed the socket itself; of others' sockets that went with signalling nothing is known."""
    return lost.close_code is not None and lost.channel != SIGNALING


def _media_through(channel: str) -> tuple[str, ...]:
    """What a lost socket takes with it: without signalling Zoom sends nothing at all."""
    if channel == SIGNALING:
        return EVERY_MEDIUM
    if channel in EVERY_MEDIUM:
        return (channel,)
    return tuple(medium for medium in EVERY_MEDIUM if medium != Medium.EVENTS)
