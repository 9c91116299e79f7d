"""What happens to a running stream when something goes wrong at a time: one function a kind of fault."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from connectors.host.logs import get_logger
from connectors.rtms.protocol.codes import MEDIA_TYPE_OF, EventType, Medium, SessionState, StopReason, StreamState
from connectors.rtms.simulator import webhooks
from connectors.rtms.simulator.channel import Channel, EndedBy
from connectors.rtms.simulator.faults import Fault, FaultKind, stop_reason_of
from connectors.rtms.simulator.identity import Identity
from connectors.rtms.simulator.links import MediaLink, SignallingLink
from connectors.rtms.simulator.meeting import Meeting
from connectors.rtms.simulator.zoomclock import ZoomClock

log = get_logger(__name__)


class Troubled(Protocol):
    """What trouble needs of the stream to which it comes; see `stream.Stream`."""

    meeting: Meeting
    identity: Identity
    clock: ZoomClock
    signalling: SignallingLink | None
    media: list[MediaLink]
    stream_state: StreamState
    dead_paths: set[str]
    picture_bytes: int

    @property
    def signalling_path(self) -> str:
        """The path in `server_urls`."""
        ...

    def channels(self) -> list[Channel]:
        """All connections that count."""
        ...

    def stop(self, reason: StopReason) -> None:
        """End the stream now."""
        ...

    def announce_start(self) -> None:
        """Send the started webhook with the address of now."""
        ...

    def announce(self, verb: str, fields: dict[str, Any]) -> Any:
        """Send a webhook beside everything else."""
        ...

    def await_return(self) -> None:
        """Give up if signalling does not come back in time."""
        ...


async def happen(stream: Troubled, fault: Fault) -> None:
    """Wait until it is time, then let it go wrong."""
    await stream.clock.until(stream.meeting.start_ms + 1000 * (fault.at_s or 0))
    log.info("fault", kind=fault.kind.value, stream_id=stream.identity.stream_id)
    mishaps: dict[FaultKind, Callable[[Troubled, Fault], Awaitable[None]]] = {
        FaultKind.CUT_SIGNALLING: _cut_signalling,
        FaultKind.CUT_MEDIA: _cut_media,
        FaultKind.MOVE: _move,
        FaultKind.STOP: _stop_as_asked,
        FaultKind.SAY_INTERRUPTED: _say_interrupted,
        FaultKind.SAY_MEDIA_INTERRUPTED: _say_media_interrupted,
        FaultKind.PAUSE: _pause,
        FaultKind.UNKNOWN_MESSAGE: _say_something_unknown,
        FaultKind.LARGE_PICTURE: _ask_for_a_large_picture,
        FaultKind.NO_KEEP_ALIVES: _fall_silent,
    }
    await mishaps[fault.kind](stream, fault)


async def _cut_signalling(stream: Troubled, _fault: Fault) -> None:
    if stream.signalling is not None:
        stream.signalling.channel.cut(EndedBy.FAULT)


async def _cut_media(stream: Troubled, fault: Fault) -> None:
    for socket in _carrying(stream, fault):
        socket.channel.cut(EndedBy.FAULT)


def _carrying(stream: Troubled, fault: Fault) -> list[MediaLink]:
    return [s for s in stream.media if fault.medium is None or fault.medium in s.media]


async def _move(stream: Troubled, _fault: Fault) -> None:
    """Nobody answers at the old address any more; no word but the webhook says so."""
    channels = stream.channels()
    stream.dead_paths.add(stream.signalling_path)
    stream.signalling, stream.media = None, []
    for channel in channels:
        channel.cut(EndedBy.FAULT)
    stream.stream_state = StreamState.INTERRUPTED
    stream.announce_start()
    stream.await_return()


async def _stop_as_asked(stream: Troubled, fault: Fault) -> None:
    stream.stop(stop_reason_of(fault.stop_reason))


async def _say_interrupted(stream: Troubled, _fault: Fault) -> None:
    stream.announce("interrupted", webhooks.interrupted(stream.identity))


async def _say_media_interrupted(stream: Troubled, fault: Fault) -> None:
    for socket in _carrying(stream, fault):
        if stream.signalling is not None:
            await stream.signalling.say_event(EventType.MEDIA_CONNECTION_INTERRUPTED, mask_field(socket.media))


async def _say_something_unknown(stream: Troubled, _fault: Fault) -> None:
    for channel in stream.channels():
        await channel.say(msgspec.json.encode({"msg_type": 9_999, "content": {"data": "from the future"}}))


async def _ask_for_a_large_picture(stream: Troubled, fault: Fault) -> None:
    stream.picture_bytes = fault.bytes


async def _fall_silent(stream: Troubled, _fault: Fault) -> None:
    for channel in stream.channels():
        channel.stop_asking()


async def _pause(stream: Troubled, fault: Fault) -> None:
    pause_ms = stream.meeting.start_ms + 1000 * (fault.at_s or 0)
    steps = (
        (SessionState.PAUSED, StreamState.PAUSED, pause_ms),
        (SessionState.RESUMED, StreamState.RESUMED, pause_ms + 1000 * fault.for_s),
    )
    for session_state, stream_state, at_ms in steps:
        await stream.clock.until(at_ms)
        if stream.signalling is not None:
            await stream.signalling.say_session_state(session_state)
            await stream.signalling.say_stream_state(stream_state)


def mask_field(media: frozenset[Medium]) -> dict[str, Any]:
    """Which media broke, as event 7 says it."""
    return {"media_type": int(sum(MEDIA_TYPE_OF[medium] for medium in media))}
