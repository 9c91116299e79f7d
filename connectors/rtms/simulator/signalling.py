"""The conversation on a signalling socket, from the accepted handshake on: subscriptions, acks, queries, closing."""

from collections.abc import Awaitable, Callable
from typing import Any

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import EventType, MessageType, SessionState, Status, StopReason, StreamState
from connectors.rtms.simulator import events, wire
from connectors.rtms.simulator.channel import Channel, message_type
from connectors.rtms.simulator.faults import FaultKind
from connectors.rtms.simulator.frames import EventFrame
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.truth import ConnectionStory

_SUBSCRIBABLE = frozenset(EventType) - {
    EventType.UNDEFINED, EventType.FIRST_PACKET_TIMESTAMP, EventType.MEDIA_CONNECTION_INTERRUPTED,
}  # fmt: skip


class Signalling:
    """One signalling connection. `buffer_data` is what the client asked for in message 1."""

    def __init__(self, stream: Stream, channel: Channel, *, buffer_data: bool) -> None:
        self.channel = channel
        self.buffer_data = buffer_data
        self.was_ready = False
        self._stream = stream
        self._subscribed: set[EventType] = set()
        self._story = ConnectionStory("signalling", [], stream.clock.now_ms())
        stream.truth.connections.append(self._story)
        self._handlers: dict[int, Callable[[dict[str, Any]], Awaitable[None]]] = {
            MessageType.EVENT_SUBSCRIPTION: self._on_subscription,
            MessageType.CLIENT_READY_ACK: self._on_ready,
            MessageType.SESSION_STATE_REQ: self._on_session_query,
            MessageType.KEEP_ALIVE_RESP: self._on_keep_alive,
            MessageType.STREAM_STATE_REQ: self._on_stream_query,
            MessageType.STREAM_CLOSE_REQ: self._on_close,
            MessageType.VIDEO_SUBSCRIPTION_REQ: self._on_video_subscription,
        }

    async def serve(self, answer: bytes) -> None:
        """Send message 2 and talk until the connection ends."""
        stream = self._stream
        stream.take_signalling(self)
        await self.channel.say(answer)
        await self.say_event(EventType.FIRST_PACKET_TIMESTAMP, {})
        if not stream.faults.has(FaultKind.NO_KEEP_ALIVES):
            self.channel.keep_alive(stream.rules.keep_alive_s)
        try:
            async for message in self.channel.messages():
                await self._hear(message)
        finally:
            self._story.closed_ms = stream.clock.now_ms()
            self._story.ended_by = self.channel.ended_by
            stream.signalling_lost(self)

    async def _hear(self, message: dict[str, Any]) -> None:
        number = message_type(message)
        handler = self._handlers.get(number)
        if handler is None:
            self._complain(f"message {number} on signalling")
        else:
            await handler(message)

    def _complain(self, text: str) -> None:
        self._stream.truth.complain(text)

    # --- what it says -----------------------------------------------------------------------------------------------

    async def tell(self, frame: EventFrame) -> None:
        """An event of the meeting, if it was subscribed to."""
        if frame.event_type in self._subscribed:
            strings = self._stream.faults.has(FaultKind.STRING_IDS)
            if await self.channel.say(wire.write_frame(frame, string_ids=strings)):
                self._story.frames += 1
                self._stream.truth.frame_sent(frame, 0)

    async def say_event(self, event_type: EventType, fields: dict[str, Any]) -> None:
        """An event of the connection's own, subscribed to or not."""
        now_ms = self._stream.clock.now_ms()
        if await self.channel.say(messages.event_update(event_type, now_ms, fields)):
            self._stream.truth.event_sent(event_type, now_ms, fields)

    async def say_stream_state(self, state: StreamState, reason: StopReason = StopReason.UNDEFINED) -> None:
        """Message 8."""
        now_ms = self._stream.clock.now_ms()
        self._stream.stream_state = state
        if await self.channel.say(messages.stream_state_update(state, now_ms, reason=reason)):
            self._stream.truth.state_sent("stream", state, reason, now_ms)

    async def say_session_state(self, state: SessionState, reason: StopReason = StopReason.UNDEFINED) -> None:
        """Message 9."""
        now_ms = self._stream.clock.now_ms()
        self._stream.session_state = state
        session_id = self._stream.identity.session_id
        if await self.channel.say(messages.session_state_update(session_id, state, now_ms, reason=reason)):
            self._stream.truth.state_sent("session", state, reason, now_ms)

    # --- what it hears ----------------------------------------------------------------------------------------------

    async def _on_subscription(self, message: dict[str, Any]) -> None:
        wanted = message.get("events")
        if not isinstance(wanted, list) or not wanted:
            self._complain("event subscription without a list of events")
            return
        for item in wanted:
            number = item.get("event_type") if isinstance(item, dict) else None
            subscribe = item.get("subscribe") if isinstance(item, dict) else None
            if number not in _SUBSCRIBABLE or not isinstance(subscribe, bool):
                self._complain(f"subscription to event {number}, which cannot be subscribed to")
            elif subscribe:
                await self._subscribe(EventType(number))
            else:
                self._subscribed.discard(EventType(number))

    async def _subscribe(self, event_type: EventType) -> None:
        """Joins and cameras come with what has happened before: everybody present, every camera that is on."""
        if event_type in self._subscribed:
            return
        self._subscribed.add(event_type)
        attendance = self._stream.attendance
        if event_type is EventType.PARTICIPANT_JOIN and (people := attendance.present()):
            await self.say_event(event_type, events.joined(people))
        if event_type is EventType.PARTICIPANT_VIDEO_ON and (people := attendance.with_camera()):
            await self.say_event(event_type, events.listed(people))

    async def _on_ready(self, message: dict[str, Any]) -> None:
        if message.get("rtms_stream_id") != self._stream.identity.stream_id:
            self._complain("ready ack with a wrong rtms_stream_id")
            return
        await self._stream.client_ready(self)

    async def _on_session_query(self, message: dict[str, Any]) -> None:
        identity = self._stream.identity
        if message.get("rtms_session_id") != identity.session_id:
            self._complain("state query for an unknown session")
            return
        now_ms = self._stream.clock.now_ms()
        await self.channel.say(messages.session_state_response(identity.session_id, self._stream.session_state, now_ms))

    async def _on_stream_query(self, message: dict[str, Any]) -> None:
        identity = self._stream.identity
        if message.get("rtms_stream_id") != identity.stream_id:
            self._complain("state query for an unknown stream")
            return
        now_ms = self._stream.clock.now_ms()
        await self.channel.say(messages.stream_state_response(identity.stream_id, self._stream.stream_state, now_ms))

    async def _on_keep_alive(self, message: dict[str, Any]) -> None:
        if not self.channel.answered(message):
            self._complain("keep-alive answer on signalling that answers no request")

    async def _on_close(self, message: dict[str, Any]) -> None:
        stream_id, now_ms = self._stream.identity.stream_id, self._stream.clock.now_ms()
        if message.get("rtms_stream_id") != stream_id:
            wrong = Status.INVALID_RTMS_STREAM_ID
            refusal = messages.stream_close_response(stream_id, now_ms, status=wrong, reason="no such stream")
            await self.channel.say(refusal)
            return
        await self.channel.say(messages.stream_close_response(stream_id, now_ms))
        self._stream.stop(StopReason.RECEIVER_REQUEST_CLOSE)

    async def _on_video_subscription(self, message: dict[str, Any]) -> None:
        """Individual video is never agreed to, so nobody may subscribe to it."""
        user_id = message.get("user_id")
        number = user_id if isinstance(user_id, int) else 0
        await self.channel.say(
            messages.video_subscription_response(
                number,
                self._stream.clock.now_ms(),
                status=Status.INVALID_MEDIA_VIDEO_DATA_OPT,
                reason="no video socket with data_opt 4",
            )
        )
