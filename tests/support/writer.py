"""States what other processes would: a worker's facts, a processor's results, through the real topics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.kafka.decoder import Decoder
from connectors.kafka.producer import CONTROL, Producer, create_producer
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.ids import partition_of
from schemas.keys import item_key
from schemas.records import FactKind, OutputKind, ParticipantEvent, Record, SessionFact, Utterance
from schemas.settings import Engine
from schemas.topics import Topic
from tests.support.settings import kafka_settings


@dataclass(frozen=True)
class Writer:
    """Every call returns when Kafka has acknowledged what it wrote."""

    kafka: KafkaSettings
    decoder: Decoder
    producer: Producer

    def write(self, topic: Topic, session_id: str, record: Record) -> int:
        value = self.decoder.codec.encode(topic, record)
        partition = partition_of(session_id, self.kafka.partitions)
        return self.producer.send_blocking(topic, session_id.encode(), value, partition)

    def write_item(self, topic: Topic, session_id: str, item_id: str, record: Record) -> int:
        """On a topic where single records can be replaced."""
        value, partition = self.decoder.codec.encode(topic, record), partition_of(session_id, self.kafka.partitions)
        return self.producer.send_blocking(topic, item_key(session_id, item_id), value, partition)

    def state(self, session_id: str, kind: FactKind, **fields: object) -> int:
        return self.write(topics.SESSION_FACTS, session_id, SessionFact(session_id=session_id, kind=kind, **fields))

    def connect(self, session_id: str) -> int:
        """What a worker states when it has connected; its epoch."""
        epoch = self.state(session_id, FactKind.CLAIMED, worker="w")
        self.state(session_id, FactKind.CONNECTED, worker="w", epoch=epoch)
        return epoch

    def disconnect(self, session_id: str, epoch: int) -> None:
        """What a worker states when the stream is over."""
        self.state(session_id, FactKind.STREAM_OVER, epoch=epoch, source="zoom", reason="meeting_ended")
        self.state(session_id, FactKind.DISCONNECTED, epoch=epoch)

    def say(self, session_id: str, utterances: Sequence[Utterance]) -> None:
        """What transcription writes, up to and with its end record: that announces Zoom's captions alone."""
        for utterance in utterances:
            self.write(topics.TRANSCRIPTS, session_id, utterance)
        captions = {utterance.utterance_id for utterance in utterances if utterance.engine == Engine.ZOOM}
        end = Utterance(session_id=session_id, kind=OutputKind.END, count=len(captions))
        self.write(topics.TRANSCRIPTS, session_id, end)

    def happen(self, session_id: str, events: Sequence[ParticipantEvent]) -> None:
        """What the participants processor writes, up to and with its end record."""
        for event in events:
            self.write(topics.PARTICIPANT_EVENTS, session_id, event)
        end = ParticipantEvent(session_id=session_id, kind=OutputKind.END, count=len(events))
        self.write(topics.PARTICIPANT_EVENTS, session_id, end)


@contextmanager
def writing(kafka_env: dict[str, str]) -> Iterator[Writer]:
    """A writer to the session's broker."""
    kafka = kafka_settings(kafka_env)
    producer = create_producer(kafka, CONTROL)
    try:
        yield Writer(kafka, Decoder.from_settings(kafka), producer)
    finally:
        producer.close()
