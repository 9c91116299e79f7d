"""The conversation on a media socket, and the sender that plays the meeting onto it when its frames are due.

Audio is buffered: what nobody was there to take is sent as a burst, up to a minute of it, with its own timestamps.
Everything else is sent while the socket stands and is gone otherwise.
"""

import asyncio
import heapq
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from connectors.rtms.protocol.codes import Medium, MessageType
from connectors.rtms.simulator import encoder, wire
from connectors.rtms.simulator.channel import Channel, message_type
from connectors.rtms.simulator.faults import FaultKind
from connectors.rtms.simulator.frames import AnyFrame, PictureFrame, RecordedFrame
from connectors.rtms.simulator.negotiation import Agreement
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.truth import ConnectionStory

_BREATHE_EVERY = 16
"""In a burst, let others run after so many frames."""


class MediaSocket:
    """One accepted media connection."""

    def __init__(self, stream: Stream, channel: Channel, agreement: Agreement) -> None:
        self.channel = channel
        self.agreement = agreement
        self.sender: asyncio.Task[None] | None = None
        self._shown = -1
        self._stream = stream
        self._story = ConnectionStory("media", sorted(self.media), stream.clock.now_ms())
        stream.truth.connections.append(self._story)

    @property
    def media(self) -> frozenset[Medium]:
        """What it carries."""
        return self.agreement.media

    async def serve(self, answer: bytes) -> None:
        """Send message 4 and listen until the connection ends; `start` makes the media flow."""
        stream = self._stream
        stream.media.append(self)
        await self.channel.say(answer)
        stream.keep_alive(self.channel)
        try:
            async for message in self.channel.messages():
                number = message_type(message)
                if number == MessageType.KEEP_ALIVE_RESP:
                    if not self.channel.answered(message):
                        stream.truth.complain("keep-alive answer on media that answers no request")
                elif number != MessageType.MEDIA_DATA_AUDIO:  # audio may be uploaded, for a feature not played here
                    stream.truth.complain(f"message {number} on media")
        finally:
            if self.sender is not None:
                self.sender.cancel()
            self._story.closed_ms = stream.clock.now_ms()
            self._story.ended_by = self.channel.ended_by
            await stream.media_lost(self)

    @property
    def _ready_ms(self) -> int:
        """From when on the client is sent what happens, however long it takes to begin."""
        return self._story.ready_ms or 0

    @property
    def _mid_group(self) -> bool:
        return self._stream.faults.has(FaultKind.SWITCH_MID_GROUP) and not self.agreement.individual

    def start(self) -> None:
        """The client is ready."""
        self._story.ready_ms = self._stream.clock.now_ms()
        self.sender = self._stream.spawn(self._send())

    async def _send(self) -> None:
        stream = self._stream
        if self.media & {Medium.VIDEO, Medium.SHARE}:
            await asyncio.to_thread(stream.meeting.prepare, self.agreement.formats, mid_group=self._mid_group)
        manner = stream.manner
        sources = [self._source(medium) for medium in sorted(self.media)]
        for number, frame in enumerate(heapq.merge(*sources, key=lambda frame: frame.due_ms)):
            await stream.clock.until(frame.due_ms)
            if number % _BREATHE_EVERY == 0:
                await asyncio.sleep(0)
            if stream.is_paused(frame.due_ms) or self._is_stale(frame) or not self._is_watched(frame):
                continue
            frame = self._enlarged(frame)
            if not await self.channel.say(wire.write_frame(frame, manner), is_binary=wire.was_binary(frame)):
                return
            self._account(frame)

    def _account(self, frame: AnyFrame) -> None:
        if frame.medium is Medium.AUDIO:
            self._stream.audio_sent = (frame.due_ms, frame.user_id)
        self._stream.repeated[frame.medium] += 1
        self._story.frames += 1
        self._stream.truth.frame_sent(frame, self.agreement.formats.audio.send_rate_ms)

    def _source(self, medium: Medium) -> Iterator[AnyFrame]:
        """The frames of a medium from where this socket takes over; of a recording, after the last one sent."""
        frames = self._stream.meeting.of_medium(medium, self.agreement.formats, mid_group=self._mid_group)
        if self._stream.meeting.is_recorded:
            return islice(frames, self._stream.repeated[medium], None)
        if medium is Medium.AUDIO:
            from_ms = self._audio_from_ms()
            already = self._stream.audio_sent
            return (f for f in frames if f.due_ms > from_ms and (f.due_ms, f.user_id) > already)
        return (frame for frame in frames if frame.due_ms >= self._ready_ms)

    def _audio_from_ms(self) -> int:
        """The end of what is too old; what was buffered before the first connection may be unwanted altogether."""
        signalling = self._stream.signalling
        is_first = self._stream.audio_sent == (0, 0)
        if is_first and signalling is not None and not signalling.buffer_data:
            return self._ready_ms
        return self._ready_ms - round(1000 * self._stream.rules.audio_buffer_s)

    def _is_watched(self, frame: AnyFrame) -> bool:
        """Individual video: only the chosen camera, from its next key frame on."""
        if not (self.agreement.individual and isinstance(frame, PictureFrame) and frame.medium is Medium.VIDEO):
            return True
        watched = self._stream.watched
        if frame.user_id != watched.user_id:
            return False
        if frame.key_frame:
            self._shown = watched.number
        return self._shown == watched.number

    def _enlarged(self, frame: AnyFrame) -> AnyFrame:
        """The first picture after somebody asked for a large one, with as much filling as it takes."""
        wanted = self._stream.picture_bytes
        if not wanted or not isinstance(frame, PictureFrame) or frame.medium is not Medium.VIDEO:
            return frame
        self._stream.picture_bytes = 0
        return replace(frame, payload=encoder.filled(frame.payload, wanted))

    def _is_stale(self, frame: AnyFrame) -> bool:
        is_picture = not isinstance(frame, RecordedFrame) and frame.medium in (Medium.VIDEO, Medium.SHARE)
        return is_picture and self._stream.clock.now_ms() - frame.due_ms > 1000 * self._stream.rules.stale_picture_s
