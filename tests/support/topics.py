"""Reads what stands in topics, as of now, for tests that look at results."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import RecordTooLarge
from connectors.kafka.producer import Producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.records import Record
from schemas.topics import Topic
from tests.support.processes import PATIENCE_S, wait_for

INPUTS = (
    topics.SESSION_FACTS, *topics.MEDIA_TOPICS,
    topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.RECORDING_SEGMENTS, topics.APP_SESSIONS,
    topics.SESSION_CHANGES, topics.WEBHOOK_NOTICES, topics.WEBHOOK_DELIVERIES,
)  # fmt: skip
"""Each is read by a service that commits what it has read, and so puts aside what it cannot use. Of the others, the
control plane, the claims and the states are read anew at every start: what is bad in them is logged and counted, not
put aside each time."""


def values(kafka: KafkaSettings, topic: Topic, sessions: Iterable[str]) -> Sequence[Record]:
    """All values of the topic that belong to the sessions, read committed, in order of each partition."""
    wanted = set(sessions)
    decoder = Decoder.from_settings(kafka, [topic])
    loader = PartitionLoader(kafka)
    try:
        places = [Place(topic.name, number) for number in range(kafka.partition_count(topic))]
        found = [decoder.decode(topic, record.value) for record in loader.load(places, PATIENCE_S) if record.value]
    finally:
        loader.close()
    return [record for record in found if record.session_id in wanted]


def configure(kafka: KafkaSettings, topic: Topic, name: str, value: str) -> None:
    """Change one of a topic's settings."""
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=[entry])
    admin = AdminClient(kafka.admin_config())  # to be held until it has answered
    admin.incremental_alter_configs([resource])[resource].result(PATIENCE_S)


@contextmanager
def unwritable(kafka: KafkaSettings, topic: Topic, producer: Producer) -> Iterator[None]:
    """The broker takes nothing for this topic, as `producer` is used to see: everything is too large.

    What is changed is in force a moment after the change was answered.
    """

    def is_refused() -> bool:
        try:
            producer.send_blocking(topic, b"", b"", 0)
        except RecordTooLarge:
            return True
        return False

    configure(kafka, topic, "max.message.bytes", "1")
    try:
        wait_for(is_refused, PATIENCE_S, lambda: f"{topic.name} can still be written to")
        yield
    finally:
        configure(kafka, topic, "max.message.bytes", str(topics.MAX_BATCH_BYTES))
