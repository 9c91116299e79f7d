"""The conversation on a signalling socket, from the accepted handshake on: subscriptions, acks, queries, closing."""

from collections.abc import Awaitable, Callable
from typing import Any

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import (
    CONTACT_CENTER,
    ContactCenterEventType,
    EventType,
    MessageType,
    SessionState,
    Status,
    StopReason,
    StreamState,
)
from connectors.rtms.simulator import callcenter, events, wire
from connectors.rtms.simulator.channel import Channel, message_type
from connectors.rtms.simulator.faults import FaultKind
from connectors.rtms.simulator.frames import EventFrame, RecordedFrame
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.truth import ConnectionStory

_AUTOMATIC = {
    EventType.UNDEFINED, EventType.FIRST_PACKET_TIMESTAMP, EventType.MEDIA_CONNECTION_INTERRUPTED,
}  # fmt: skip
_SUBSCRIBABLE: frozenset[int] = frozenset(EventType) - _AUTOMATIC
_SUBSCRIBABLE_IN_CALLS: frozenset[int] = _SUBSCRIBABLE | frozenset(ContactCenterEventType)


class Signalling:
    """One signalling connection. `buffer_data` is what the client asked for in message 1."""

    def __init__(self, stream: Stream, channel: Channel, *, buffer_data: bool) -> None:
        self.channel = channel
        self.buffer_data = buffer_data
        self.was_ready = False
        self._stream = stream
        self._subscribed: set[int] = set()
        self._in_call = stream.identity.product == CONTACT_CENTER
        self._subscribable = _SUBSCRIBABLE_IN_CALLS if self._in_call else _SUBSCRIBABLE
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
        stream.keep_alive(self.channel)
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
        if self._in_call:
            await self._tell_in_call(self._subscribed, frame.event_type, frame.user_id, frame.timestamp_ms)
        elif frame.event_type in self._subscribed:
            await self.repeat(frame)

    async def repeat(self, frame: EventFrame | RecordedFrame) -> None:
        """An event as it is, subscribed to or not."""
        if await self.channel.say(wire.write_frame(frame, self._stream.manner), is_binary=wire.was_binary(frame)):
            self._story.frames += 1
            self._stream.truth.frame_sent(frame, 0)

    async def _tell_in_call(self, numbers: set[int], kind: EventType, user_id: int, at_ms: int) -> None:
        cast = self._stream.meeting.script.cast
        found = callcenter.translated(kind, cast.named(user_id), cast, at_ms)
        if found is not None and found[0] in numbers:
            if await self.channel.say(callcenter.event_message(*found)):
                self._stream.truth.event_sent(found[0], at_ms, found[1])

    async def say_event(self, event_type: EventType, fields: dict[str, Any]) -> None:
        """An event of the connection's own, subscribed to or not."""
        now_ms = self._stream.clock.now_ms()
        if await self.channel.say(wire.write_event(event_type, now_ms, fields, self._stream.manner)):
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
            if number not in self._subscribable or not isinstance(subscribe, bool):
                self._complain(f"subscription to event {number}, which cannot be subscribed to")
            elif subscribe:
                await self._subscribe(int(number))
            else:
                self._subscribed.discard(int(number))

    async def _subscribe(self, event_type: int) -> None:
        """Joins and cameras come with what has happened before: everybody present, every camera that is on."""
        if event_type in self._subscribed:
            return
        self._subscribed.add(event_type)
        attendance = self._stream.attendance
        if self._in_call:
            await self._tell_who_answered(event_type)
        elif event_type == EventType.PARTICIPANT_JOIN and (people := attendance.present()):
            await self.say_event(EventType.PARTICIPANT_JOIN, events.joined(people))
        elif event_type == EventType.PARTICIPANT_VIDEO_ON and (people := attendance.with_camera()):
            await self.say_event(EventType.PARTICIPANT_VIDEO_ON, events.listed(people))

    async def _tell_who_answered(self, number: int) -> None:
        present = {person.user_id for person in self._stream.attendance.present()}
        for stay in self._stream.meeting.participants:
            if stay.user_id in present:
                await self._tell_in_call({number}, EventType.PARTICIPANT_JOIN, stay.user_id, stay.joined_ms)

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
        if self._stream.faults.has(FaultKind.UNHEARD_CLOSE):
            return
        stream_id, now_ms = self._stream.identity.stream_id, self._stream.clock.now_ms()
        if message.get("rtms_stream_id") != stream_id:
            wrong = Status.INVALID_RTMS_STREAM_ID
            refusal = messages.stream_close_response(stream_id, now_ms, status=wrong, reason="no such stream")
            await self.channel.say(refusal)
            return
        await self.channel.say(messages.stream_close_response(stream_id, now_ms))
        self._stream.stop(StopReason.RECEIVER_REQUEST_CLOSE)

    async def _on_video_subscription(self, message: dict[str, Any]) -> None:
        """One participant at a time; a new choice replaces the one before."""
        user_id = message.get("user_id")
        number = user_id if isinstance(user_id, int) else 0
        status, reason = self._judge_choice(number, message.get("subscribe"))
        now_ms = self._stream.clock.now_ms()
        await self.channel.say(messages.video_subscription_response(number, now_ms, status=status, reason=reason))
        if status == Status.OK:
            self._stream.watch(number if message["subscribe"] else None)

    def _judge_choice(self, user_id: int, subscribe: Any) -> tuple[Status, str]:
        if not self._stream.has_individual_video():
            return Status.INVALID_MEDIA_VIDEO_DATA_OPT, "no video socket with data_opt 4"
        if not isinstance(subscribe, bool) or not self._stream.attendance.has_camera(user_id):
            return Status.INVALID_PAYLOAD, "no participant with that camera on"
        if subscribe and self._stream.watched.user_id == user_id:
            return Status.DUPLICATE_VIDEO_SUBSCRIPTION, "subscribed to already"
        return Status.OK, "OK"
