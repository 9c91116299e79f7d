"""From frames to records in Kafka, for one session under one epoch; every record is numbered and accounted for.

The caller's thread never waits here: what the producer has no room for stays in the session's outbox. So does all that
comes before Kafka has the topic's `begin`: were that refused and sent again behind frames, nobody would read those, and
no hole would say so. Delivery reports come from the producers' threads, one thread a producer, so each account has
exactly one writer.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from connectors.kafka.errors import QueueFull, RecordTooLarge
from connectors.kafka.producer import Producer
from ingest import metrics
from ingest.losses import Losses
from ingest.outbox import Outbox, Outgoing
from schemas import topics
from schemas.codec import Codec
from schemas.excerpts import Excerpt, excerpt_of
from schemas.media_writer import AudioTrack, VideoTrack
from schemas.records import (
    MEDIA_CLASS_OF,
    NO_EPOCH,
    Audio,
    Begin,
    Caption,
    Chat,
    Event,
    Hole,
    MediaRecord,
    RecordKind,
    Video,
)
from schemas.records import Codec as MediaCodec
from schemas.topics import MAX_RECORD_BYTES, Topic

MEMORY_BUDGET = "memory_budget"
NOT_DELIVERED = "not_delivered"
TOO_LARGE = "too_large"

MAX_TRACKS = 512
"""So many prefixes are kept for the next frame of the same participant; more people only cost time."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose records these are; `follows` is the epoch that was claimed before."""

    session_id: str
    partition: int
    epoch: int
    follows: int = NO_EPOCH


class Frame(NamedTuple):
    """One audio chunk or picture as it came off the socket."""

    participant_id: int
    participant_name: str | None
    timestamp_ms: int
    arrived_us: int
    payload: bytes
    key_frame: bool = False


@dataclass(frozen=True, slots=True)
class Encodings:
    """What Zoom agreed to send: constant for all frames of an epoch. A chunk of sound and a picture last so long."""

    audio: MediaCodec = MediaCodec.NONE
    sample_rate_hz: int = 0
    channels: int = 0
    chunk_ms: int = 0
    is_mixed: bool = False
    video: MediaCodec = MediaCodec.NONE
    video_ms: int = 0
    share: MediaCodec = MediaCodec.NONE
    share_ms: int = 0

    def frame_ms(self, topic: Topic) -> int:
        """How long a frame of that topic lasts; a text has no length, and is missed all the same."""
        known = {topics.AUDIO.name: self.chunk_ms, topics.VIDEO.name: self.video_ms, topics.SHARE.name: self.share_ms}
        return max(1, known.get(topic.name, 0))


class Publisher:
    """`producers` maps each media topic's name to the producer that carries it."""

    def __init__(self, identity: Identity, codec: Codec, producers: Mapping[str, Producer], budget_bytes: int) -> None:
        self.identity = identity
        self._key = identity.session_id.encode()
        self._codec = codec
        self._producers = producers
        self._outbox = Outbox(budget_bytes)
        self._accounts = {name: producer.account(topics.BY_NAME[name]) for name, producer in producers.items()}
        self._sequences = dict.fromkeys(producers, 0)
        self._begins: dict[str, Outgoing | None] = {}  # by topic, what Kafka is not known to have; None: it is sent
        self._encodings = Encodings()
        self._audio: dict[tuple[int, str | None], AudioTrack] = {}
        self._pictures: dict[tuple[str, int, str | None], VideoTrack] = {}
        self._losses = Losses()
        self._oversized: deque[Excerpt] = deque()
        self.frames = dict.fromkeys(producers, 0)
        self._counted = {name: (metrics.FRAMES.labels(name), 0) for name in producers}

    def begin(self, begin: Begin, encodings: Encodings, at_ms: int, arrived_us: int) -> None:
        """Open the epoch on all six topics; `encodings` holds for the frames that follow."""
        self.agree(encodings)
        for topic in topics.MEDIA_TOPICS:
            self._begins[topic.name] = self._marker(topic, RecordKind.BEGIN, at_ms, arrived_us, begin)
        self.send()

    def agree(self, encodings: Encodings) -> None:
        """Zoom agreed to something anew within the epoch: from here on frames are this."""
        self._encodings = encodings
        self._audio.clear()
        self._pictures.clear()

    def tick(self, topic: Topic, through_ms: int, arrived_us: int) -> None:
        """State that everything of this medium through `through_ms` has been written."""
        self._control(topic, RecordKind.TICK, through_ms, arrived_us)

    def end(self, at_ms: int, arrived_us: int) -> None:
        """Close the session on all six topics."""
        for topic in topics.MEDIA_TOPICS:
            self._control(topic, RecordKind.END, at_ms, arrived_us)

    def handed_over(self, at_ms: int, arrived_us: int) -> None:
        """State of the sound that all which Zoom had sent by then has been written, and is the last of this epoch."""
        self._control(topics.AUDIO, RecordKind.HANDED_OVER, at_ms, arrived_us)

    def audio(self, frame: Frame) -> None:
        """One chunk of one participant's audio."""
        track = self._audio.get((frame.participant_id, frame.participant_name))
        if track is None:
            track = self._new_audio_track(frame)
        value = track.write(self._next(topics.AUDIO), frame.timestamp_ms, frame.arrived_us, frame.payload)
        self._frame(Outgoing(topics.AUDIO, value, frame.timestamp_ms, participant_id=frame.participant_id))

    def picture(self, topic: Topic, frame: Frame) -> None:
        """One picture of the video or share topic."""
        track = self._pictures.get((topic.name, frame.participant_id, frame.participant_name))
        if track is None:
            track = self._new_picture_track(topic, frame)
        value = track.write(
            self._next(topic), frame.timestamp_ms, frame.arrived_us, key_frame=frame.key_frame, payload=frame.payload
        )
        who = frame.participant_id
        self._frame(Outgoing(topic, value, frame.timestamp_ms, key_frame=frame.key_frame, participant_id=who))

    def text(self, topic: Topic, frame: Caption | Chat | Event) -> None:
        """One caption, chat operation or event; its sequence number is given here."""
        value = self._codec.encode(topic, replace(frame, sequence=self._next(topic)))
        self._frame(Outgoing(topic, value, frame.timestamp_ms, participant_id=frame.participant_id))

    def send(self) -> None:
        """Hand over to the producers what they have room for; a control record that was not taken, once more."""
        self._take_back()
        if self._begins:
            self._send_begins()
        while (item := self._outbox.first(self._begins)) is not None and self._handed_over(item):
            self._outbox.pop(item.topic)

    def release(self) -> None:
        """Nobody will come back to `send`: what waits for a begin that is on its way goes after it."""
        self.send()
        self._begins = {name: begin for name, begin in self._begins.items() if begin is not None}
        self.send()

    def take_holes(self) -> Iterator[Hole]:
        """What was lost since the last call; each must be stated."""
        self._take_back()
        yield from self._losses.take()

    def count(self) -> None:
        """Bring the metric up to `frames`; not with every frame, because a metric takes a lock each time."""
        for name, frames in self.frames.items():
            counter, counted = self._counted[name]
            if frames != counted:
                counter.inc(frames - counted)
                self._counted[name] = counter, frames

    def lost(self, topic: Topic, at_ms: int, cause: str, participant_id: int = 0) -> None:
        """One frame will never be in Kafka."""
        metrics.LOST.labels(topic.name, cause).inc()
        to_ms = at_ms + self._encodings.frame_ms(topic)
        hole = Hole(medium=topic.medium, participant_id=participant_id, from_ms=at_ms, to_ms=to_ms, cause=cause)
        self._losses.add(hole)

    def take_oversized(self) -> Iterator[Excerpt]:
        """What is kept of records that are too large for any topic, since the last call; for the dead letters."""
        while self._oversized:
            yield self._oversized.popleft()

    @property
    def unsettled(self) -> int:
        """Records that Kafka has neither taken nor refused yet."""
        waiting = (account.sent - account.settled + len(account.refused) for account in self._accounts.values())
        begins = sum(begin is not None for begin in self._begins.values())
        return len(self._outbox) + begins + sum(waiting)

    def _send_begins(self) -> None:
        """Of a topic its begin alone is sent until it is there, which it is when all that was sent has been taken."""
        for name, begin in list(self._begins.items()):
            account = self._accounts[name]
            if begin is not None:
                self._begins[name] = None if self._handed_over(begin) else begin
            elif account.settled == account.sent and not account.refused:  # refused is written before settled
                del self._begins[name]

    def _take_back(self) -> None:
        """What Kafka did not take in time: a frame is a hole; without its control records a session never closes."""
        for name, account in self._accounts.items():
            while account.refused:
                self._refused(topics.BY_NAME[name], account.refused.popleft())

    def _refused(self, topic: Topic, value: bytes) -> None:
        """Read what we have written ourselves: that costs less than keeping in mind what each record was."""
        record = self._codec.decode(topic, value)
        assert isinstance(record, MediaRecord)
        if record.kind is RecordKind.FRAME:
            self.lost(topic, record.timestamp_ms, NOT_DELIVERED, record.participant_id)
            return
        item = Outgoing(topic, value, record.timestamp_ms, is_frame=False)
        if record.kind is RecordKind.BEGIN:
            self._begins[topic.name] = item
        else:
            self._wait(item)

    def _new_audio_track(self, frame: Frame) -> AudioTrack:
        constant = Audio(
            **self._head(frame),
            codec=self._encodings.audio,
            sample_rate_hz=self._encodings.sample_rate_hz,
            channels=self._encodings.channels,
        )
        track = AudioTrack(self._codec.schema_id(topics.AUDIO), constant)
        if len(self._audio) >= MAX_TRACKS:
            self._audio.clear()
        self._audio[frame.participant_id, frame.participant_name] = track
        return track

    def _new_picture_track(self, topic: Topic, frame: Frame) -> VideoTrack:
        codec = self._encodings.share if topic is topics.SHARE else self._encodings.video
        track = VideoTrack(topic, self._codec.schema_id(topic), Video(**self._head(frame), codec=codec))
        if len(self._pictures) >= MAX_TRACKS:
            self._pictures.clear()
        self._pictures[topic.name, frame.participant_id, frame.participant_name] = track
        return track

    def _head(self, frame: Frame) -> dict[str, Any]:
        return {
            "session_id": self.identity.session_id,
            "kind": RecordKind.FRAME,
            "participant_id": frame.participant_id,
            "participant_name": frame.participant_name,
            "epoch": self.identity.epoch,
            "sequence": 0,
            "timestamp_ms": 0,
            "arrived_us": 0,
        }

    def _control(self, topic: Topic, kind: RecordKind, at_ms: int, arrived_us: int) -> None:
        self._wait(self._marker(topic, kind, at_ms, arrived_us))
        self.send()

    def _marker(
        self, topic: Topic, kind: RecordKind, at_ms: int, arrived_us: int, begin: Begin | None = None
    ) -> Outgoing:
        record = MEDIA_CLASS_OF[topic.name](
            session_id=self.identity.session_id,
            kind=kind,
            epoch=self.identity.epoch,
            begin=begin,
            sequence=self._next(topic),
            timestamp_ms=at_ms,
            arrived_us=arrived_us,
        )
        return Outgoing(topic, self._codec.encode(topic, record), at_ms, is_frame=False)

    def _frame(self, item: Outgoing) -> None:
        name = item.topic.name
        self.frames[name] += 1
        if len(item.value) > MAX_RECORD_BYTES:
            self._put_aside(item)
        elif not (self._passes(name) and self._handed_over(item)):
            self._wait(item)
            self.send()

    def _passes(self, name: str) -> bool:
        """Whether nothing waits before a frame of that topic, so that it goes straight on."""
        if not self._begins:
            return self._outbox.is_clear
        return name not in self._begins and self._outbox.is_clear_but_for(self._begins)

    def _wait(self, item: Outgoing) -> None:
        for dropped in self._outbox.put(item):
            self._lose(dropped, MEMORY_BUDGET)

    def _handed_over(self, item: Outgoing) -> bool:
        """Whether the record is the producer's business now, or nobody's; False: it has to wait."""
        try:
            self._accounts[item.topic.name].send(self._key, item.value, self.identity.partition)
        except QueueFull:
            return False
        except RecordTooLarge:
            self._put_aside(item)
        return True

    def _put_aside(self, item: Outgoing) -> None:
        self._oversized.append(excerpt_of(item.value))
        self._lose(item, TOO_LARGE)

    def _lose(self, item: Outgoing, cause: str) -> None:
        self.lost(item.topic, item.timestamp_ms, cause, item.participant_id)

    def _next(self, topic: Topic) -> int:
        number = self._sequences[topic.name]
        self._sequences[topic.name] = number + 1
        return number
