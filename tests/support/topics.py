"""Reads what stands in topics, as of now, for tests that look at results."""

from collections.abc import Iterable, Sequence

from connectors.kafka.decoder import Decoder
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from schemas.records import Record
from schemas.topics import Topic


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
