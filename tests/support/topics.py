"""Reads what stands in topics, as of now, for tests that look at results."""

from collections.abc import Iterable, Sequence

from connectors.kafka.decoder import Decoder
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.records import Record
from schemas.topics import Topic

INPUTS = (
    topics.SESSION_FACTS, *topics.MEDIA_TOPICS,
    topics.TRANSCRIPTS, topics.PARTICIPANT_EVENTS, topics.RECORDING_SEGMENTS, topics.APP_SESSIONS,
)  # fmt: skip
"""Each is read by a service that commits what it has read, and so puts aside what it cannot use. Of the others, the
control plane and the states are read anew at every start: what is bad in them is logged and counted, not put aside each
time. The rest is for whoever wants it."""


def values(kafka: KafkaSettings, topic: Topic, sessions: Iterable[str]) -> Sequence[Record]:
    """All values of the topic that belong to the sessions, read committed, in order of each partition."""
    wanted = set(sessions)
    decoder = Decoder.from_settings(kafka)
    loader = PartitionLoader(kafka)
    try:
        places = [Place(topic.name, number) for number in range(kafka.partition_count(topic))]
        found = [decoder.decode(topic, record.value) for record in loader.load(places, 30) if record.value]
    finally:
        loader.close()
    return [record for record in found if record.session_id in wanted]
