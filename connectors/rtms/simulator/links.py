"""What a stream needs of the sockets that serve it; `signalling` and `media` are such sockets."""

import asyncio
from typing import Any, Protocol

from connectors.rtms.protocol.codes import EventType, Medium, SessionState, StopReason, StreamState
from connectors.rtms.simulator.channel import Channel
from connectors.rtms.simulator.frames import EventFrame, RecordedFrame
from connectors.rtms.simulator.negotiation import Agreement


class SignallingLink(Protocol):
    """The signalling socket."""

    channel: Channel
    buffer_data: bool
    was_ready: bool

    async def tell(self, frame: EventFrame) -> None:
        """An event of the meeting, if it was subscribed to."""
        ...

    async def repeat(self, frame: EventFrame | RecordedFrame) -> None:
        """An event as it is, subscribed to or not."""
        ...

    async def say_event(self, event_type: EventType, fields: dict[str, Any]) -> None:
        """An event of the connection's own."""
        ...

    async def say_stream_state(self, state: StreamState, reason: StopReason = StopReason.UNDEFINED) -> None:
        """Message 8."""
        ...

    async def say_session_state(self, state: SessionState, reason: StopReason = StopReason.UNDEFINED) -> None:
        """Message 9."""
        ...


class MediaLink(Protocol):
    """A media socket; `sender` is None until the client was ready for it."""

    channel: Channel
    agreement: Agreement
    sender: asyncio.Task[None] | None

    @property
    def media(self) -> frozenset[Medium]:
        """What it carries."""
        ...

    def start(self) -> None:
        """The client is ready."""
        ...
