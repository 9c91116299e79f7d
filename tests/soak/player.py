"""Plays the connector worker: what a meeting says becomes facts and records, from the request to the last `end`.

The order is `ingest`'s own: requested by a customer, claimed, connected with six begins, frames and ticks, the stream
over or its end asked for by the customer, six ends once the state wants them, disconnected. Records are numbered and
sent by `ingest.publisher` itself. Nothing here is ever lost: where a worker would drop, this one waits, so that every
difference is the pipeline's.
"""

import time
from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka.admin import AdminClient

from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.producer import CONTROL, MEDIA, TEXT, VIDEO, create_producer
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import CaptionReceived, ChatReceived, FrameReceived, TickDue
from connectors.rtms.simulator.meeting import Formats, Meeting
from ingest import translation
from ingest.live import TOPIC_OF
from ingest.publisher import Encodings, Frame, Identity, Publisher
from schemas import async_transcriptions, topics
from schemas.ids import partition_of
from schemas.records import AppSession, Begin, Codec, FactKind, SessionFact
from schemas.sessions import State
from tests.soak.customer import Customer
from tests.soak.meetings import Heard, heard
from tests.soak.orders import Order
from tests.soak.tempo import Tempo

WORKER = "played"
FORMATS = Formats()
ENCODINGS = Encodings(
    audio=Codec.L16,
    sample_rate_hz=16_000,
    channels=1,
    chunk_ms=FORMATS.audio.send_rate_ms,
    video=Codec.H264,
    video_ms=1000 // FORMATS.video.fps,
    share=Codec.H264,
    share_ms=1000 // FORMATS.share.fps,
)
UNSETTLED = 2_000
RETRY_S = 0.3
STUCK_S = 150.0
"""More than any outage lasts."""


class Pace(NamedTuple):
    """One meeting's: all of it in `seconds` of the tempo's time."""

    tempo: Tempo
    seconds: float


class States:
    """The newest state of every session, as a worker follows them."""

    def __init__(self, kafka: KafkaSettings, decoder: Decoder) -> None:
        self._decoder = decoder
        self._states: dict[str, AppSession] = {}
        self._view = TopicView(kafka, topics.APP_SESSIONS, self._apply).start()

    def __getitem__(self, session_id: str) -> AppSession | None:
        return self._states.get(session_id)

    def close(self) -> None:
        self._view.close()

    def _apply(self, record: Record) -> None:
        state = self._decoder.decode(topics.APP_SESSIONS, record.value or b"")
        assert isinstance(state, AppSession)
        self._states[state.session_id] = state


@dataclass(frozen=True, slots=True)
class Played:
    """A meeting that was played to its end."""

    meeting: Meeting
    session_id: str
    epoch: int


class Player:
    """Plays meetings, each in a thread of its caller's. `heard` counts what was said in all of them so far; in those
    that are `under_way` there is more to come."""

    def __init__(self, kafka: KafkaSettings, customer: Customer) -> None:
        patient = kafka.model_copy(update={"delivery_timeout_ms": 600_000})
        self._kafka = kafka
        self._customer = customer
        self._partitions = kafka.partitions
        self._decoder = Decoder.from_settings(kafka)
        self.heard = 0
        self.under_way: set[str] = set()
        self.states = States(kafka, self._decoder)
        self._control, self._media, self._video, self._text = (
            create_producer(patient, profile) for profile in (CONTROL, MEDIA, VIDEO, TEXT)
        )
        self._producers = {topic.name: self._text if topic.text else self._media for topic in topics.MEDIA_TOPICS}
        self._producers |= {topics.VIDEO.name: self._video, topics.SHARE.name: self._video}

    def close(self) -> None:
        self.states.close()
        for producer in (self._control, self._media, self._video, self._text):
            producer.close()

    def play(self, meeting: Meeting, order: Order, stream_id: str, pace: Pace, by_customer: bool = False) -> Played:
        """From the customer's request to `disconnected`, the end by Zoom or by the customer. Raises Stopped."""
        self.under_way.add(stream_id)
        tempo, speed = pace.tempo, pace.seconds / meeting.script.length_ms
        session_id = self._customer.request(stream_id, order, tempo.pause)
        state = self._reached(session_id, State.CONNECTING, tempo)
        epoch = self._state(session_id, FactKind.CLAIMED, tempo)
        identity = Identity(session_id, partition_of(session_id, self._partitions), epoch)
        publisher = Publisher(identity, self._decoder.codec, self._producers, 2**40)
        start_us = meeting.start_ms * 1000
        publisher.begin(Begin(WORKER, state.settings, "{}", state.project_id), ENCODINGS, meeting.start_ms, start_us)
        self._state(session_id, FactKind.CONNECTED, tempo, epoch=epoch)
        for line in heard(meeting):
            tempo.wait(speed * (line.at_ms - meeting.start_ms))
            _write(publisher, line.event, time.time_ns() // 1000)  # of what came long ago there are no partials
            self.heard += 1
            self._settle(publisher, UNSETTLED, tempo)
        if by_customer:
            self._customer.end(stream_id, tempo.pause)
        else:
            self._state(session_id, FactKind.STREAM_OVER, tempo, epoch=epoch, reason="stopped: meeting_ended")
        self._reached(session_id, State.DISCONNECTING, tempo)
        publisher.end(meeting.end_ms, meeting.end_ms * 1000)
        self._settle(publisher, 0, tempo)
        assert list(publisher.take_holes()) == [], "the played worker lost records of its own"
        self._state(session_id, FactKind.DISCONNECTED, tempo, epoch=epoch)
        self.under_way.discard(stream_id)
        return Played(meeting, session_id, epoch)

    def transcribe(self, played: Played, order: Order, tempo: Tempo, settle_s: float) -> None:
        """Ask for what the order wants afterwards, one as soon as the one before is there; nobody waits for longer than
        `settle_s` after the plan is done. Raises Stopped."""

        asked: set[str] = set()
        for settings in order.afterwards:
            while not self._is_at_rest(played.session_id, asked) and tempo.calm_s < settle_s:
                tempo.pause(0.1)
            if tempo.calm_s < settle_s:
                asked.add(self._customer.transcribe(played.session_id, settings, tempo.pause))

    def _is_at_rest(self, session_id: str, asked: Set[str]) -> bool:
        """Whether the session has ended, and all of these side transcripts are there."""
        state = self.states[session_id]
        if state is None or state.state != State.ENDED or async_transcriptions.unfinished(state):
            return False
        return asked <= {one.transcription_id for one in state.async_transcriptions}

    def _reached(self, session_id: str, wanted: State, tempo: Tempo) -> AppSession:
        while (state := self.states[session_id]) is None or state.state != wanted:
            tempo.pause(0.02)
        return state

    def _settle(self, publisher: Publisher, at_most: int, tempo: Tempo) -> None:
        left, since_s = publisher.unsettled, time.monotonic()
        while (now := publisher.unsettled) > at_most:
            if now != left:
                left, since_s = now, time.monotonic()
            assert time.monotonic() - since_s < STUCK_S, self._stuck(publisher)
            publisher.send()
            tempo.pause(0.01)

    def _stuck(self, publisher: Publisher) -> str:
        """What Kafka has not taken for too long, and whom it says to lead these partitions."""
        number = publisher.identity.partition
        cluster = AdminClient(self._kafka.admin_config()).list_topics(timeout=10)
        leaders = {topic.name: cluster.topics[topic.name].partitions[number].leader for topic in topics.MEDIA_TOPICS}
        queued = {name: producer.queued for name, producer in self._producers.items()}
        return f"partition {number}: {publisher.unsettled} records not taken; leaders {leaders}, queued {queued}"

    def _state(
        self, session_id: str, kind: FactKind, tempo: Tempo, *, epoch: int | None = None, reason: str | None = None
    ) -> int:
        """The fact's offset; stated again until Kafka has it."""
        fact = SessionFact(session_id=session_id, kind=kind, source="ingest", worker=WORKER, epoch=epoch, reason=reason)
        value = self._decoder.codec.encode(topics.SESSION_FACTS, fact)
        partition = partition_of(session_id, self._partitions)
        while True:
            try:
                return self._control.send_blocking(topics.SESSION_FACTS, session_id.encode(), value, partition)
            except Fatal:
                raise
            except KafkaError:
                tempo.pause(RETRY_S)


def _write(publisher: Publisher, event: Heard, arrived_us: int) -> None:
    """As `ingest.live` does with what it hears."""
    identity = publisher.identity
    match event:
        case TickDue():
            publisher.tick(TOPIC_OF[event.medium], event.through_ms, arrived_us)
        case FrameReceived():
            who = event.user_id, event.user_name
            frame = Frame(*who, event.timestamp_ms, arrived_us, event.payload, event.key_frame)
            if event.medium is Medium.AUDIO:
                publisher.audio(frame)
            else:
                publisher.picture(TOPIC_OF[event.medium], frame)
        case CaptionReceived():
            publisher.text(topics.CAPTIONS, translation.caption(identity, event, arrived_us))
        case ChatReceived():
            publisher.text(topics.CHAT, translation.chat(identity, event, arrived_us))
        case _:
            publisher.text(topics.EVENTS, translation.meeting_event(identity, event, arrived_us))
