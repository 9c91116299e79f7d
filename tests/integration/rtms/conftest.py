"""A simulated Zoom in the test's own loop, and sessions that run against it."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from connectors.host.clock import SystemClock
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import (
    CaptionReceived,
    ChatReceived,
    FrameReceived,
    OwnerEvent,
    TickDue,
)
from connectors.rtms.protocol.joining import StreamParams
from connectors.rtms.protocol.parameters import EVERYTHING, MediaParameters
from connectors.rtms.session import RtmsSession, SessionOutcome
from connectors.rtms.settings import ZoomSettings
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Rules
from connectors.rtms.simulator.server import ServerOptions, Simulator
from connectors.rtms.simulator.settings import SimulatorSettings
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.zoomclock import ZoomClock
from connectors.rtms.transport.choice import create_transport
from connectors.rtms.transport.sockets import Transport

SPEED = 5.0
"""Slow enough for a busy machine to be connected long before it is over."""

PATIENCE_S = 60.0
LIMIT_BYTES = 1024 * 1024
SETTINGS = ZoomSettings(allowed_hosts="127.0.0.1", allow_plaintext=True)


@pytest.fixture(scope="session")
def films() -> Path:
    """Where everybody keeps them: a film is named by all that shapes it, and is made once for all test processes."""
    return SimulatorSettings().cache


Simulate = Callable[..., Any]


@pytest.fixture
async def simulate(films: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Simulate]:
    """`await simulate(speed=..., rules=...)` → a running simulator; for a slow machine no picture is dropped, no
    webhook comes twice, and what is due is still sent at the end."""
    monkeypatch.setattr("connectors.rtms.simulator.stream._LAST_FRAMES_S", PATIENCE_S)
    monkeypatch.setattr("connectors.rtms.simulator.webhooks._ANSWER_WITHIN_S", PATIENCE_S)
    async with AsyncExitStack() as stack:

        async def start(*, speed: float = SPEED, rules: Rules | None = None, **options: Any) -> Simulator:
            patient = replace(rules or Rules(), stale_picture_s=1e6)
            wanted = ServerOptions(rules=patient, cache=films, **options)
            return await stack.enter_async_context(Simulator(wanted, ZoomClock(speed=speed)))

        yield start


def meeting(seconds: int = 20, *faults: Any) -> MeetingRequest:
    return MeetingRequest(seed=1, seconds=seconds, faults=faults)


@dataclass
class Listener:
    """Keeps what a session says, and wakes whoever waits for it."""

    events: list[OwnerEvent] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, event: OwnerEvent) -> None:
        self.events.append(event)
        self.changed.set()

    def of(self, *kinds: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]

    async def until(self, condition: Callable[["Listener"], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()

    def tally(self) -> dict[tuple[str, int], tuple[int, int, str]]:
        """Frames, bytes and digest per track, in the shape of the simulator's truth."""
        frames: Counter[tuple[str, int]] = Counter()
        sizes: Counter[tuple[str, int]] = Counter()
        digests: dict[tuple[str, int], Any] = {}
        for event in self.of(FrameReceived, CaptionReceived, ChatReceived):
            track = (str(event.medium), event.user_id)
            payload = event.payload if isinstance(event, FrameReceived) else event.text.encode()
            frames[track] += 1
            sizes[track] += len(payload)
            digests.setdefault(track, hashlib.sha256()).update(payload)
        return {track: (frames[track], sizes[track], digests[track].hexdigest()) for track in frames}

    def broken_ticks(self) -> list[tuple[Medium, int, int]]:
        """Frames that came although a tick had said that nothing so old would come: there must be none."""
        through: dict[Medium, int] = {}
        broken = []
        for event in self.of(TickDue, FrameReceived, ChatReceived, CaptionReceived):
            if isinstance(event, TickDue):
                through[event.medium] = event.through_ms
            elif event.timestamp_ms <= through.get(event.medium, 0):
                broken.append((event.medium, event.timestamp_ms, through[event.medium]))
        return broken


def truth_tally(stream: Stream) -> dict[tuple[str, int], tuple[int, int, str]]:
    return {
        (medium, track["user_id"]): (track["frames"], track["bytes"], track["sha256"])
        for medium, facts in stream.truth.media_json().items()
        if medium != "events"
        for track in facts["tracks"]
    }


def params_of(simulator: Simulator, stream: Stream, **changes: Any) -> StreamParams:
    credentials = simulator.options.credentials
    known: dict[str, Any] = {
        "product": stream.identity.product,
        "meeting_id": stream.identity.meeting_uuid,
        "stream_id": stream.identity.stream_id,
        "server_urls": (simulator.signalling_url(stream),),
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    return StreamParams(**known | changes)


class Attendant:
    """A running session and everything it said."""

    def __init__(
        self,
        simulator: Simulator,
        stream: Stream,
        settings: ZoomSettings = SETTINGS,
        media: MediaParameters = EVERYTHING,
        **changes: Any,
    ) -> None:
        self.said = Listener()
        self.session = RtmsSession(
            params_of(simulator, stream, **changes),
            self.said,
            transport=create_transport(settings),
            clock=SystemClock(),
            media=media,
            policy=settings.policy(),
        )
        self.running = asyncio.create_task(self.session.run())

    async def outcome(self) -> SessionOutcome:
        return await asyncio.wait_for(self.running, PATIENCE_S)


@pytest.fixture
async def attend() -> AsyncIterator[Callable[..., Attendant]]:
    """`attend(simulator, stream, ...)` → a session that runs; it is cut off after the test if it still does."""
    made: list[Attendant] = []

    def start(simulator: Simulator, stream: Stream, settings: ZoomSettings = SETTINGS, **changes: Any) -> Attendant:
        made.append(Attendant(simulator, stream, settings, **changes))
        return made[-1]

    yield start
    for attendant in made:
        attendant.running.cancel()
    await asyncio.gather(*(attendant.running for attendant in made), return_exceptions=True)


@pytest.fixture(params=["picows", "websockets"])
def settings(request: pytest.FixtureRequest) -> ZoomSettings:
    patience = {"open_timeout_s": PATIENCE_S, "close_timeout_s": PATIENCE_S / 4}
    return ZoomSettings(transport=request.param, max_message_bytes=LIMIT_BYTES, **patience)


@pytest.fixture
def transport(settings: ZoomSettings) -> Transport:
    """For peers that answer, however slow the machine is."""
    return create_transport(settings)
