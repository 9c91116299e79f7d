"""Where a consumer group stands, asked of the broker and told to it."""

from collections.abc import Iterable

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from tests.support.processes import PATIENCE_S


class Lag:
    """Call it for the records not committed yet, by partition; those with none are left out."""

    def __init__(self, kafka: KafkaSettings, group: str, topics: Iterable[str]) -> None:
        self._admin = AdminClient(kafka.admin_config())
        self._ends = OffsetDirectory(kafka)
        self._group = group
        self._places = [Place(topic, number) for topic in topics for number in range(kafka.partitions)]

    def __call__(self) -> dict[Place, int]:
        wanted = ConsumerGroupTopicPartitions(self._group, [TopicPartition(*place) for place in self._places])
        answer = self._admin.list_consumer_group_offsets([wanted])[self._group].result(PATIENCE_S)
        committed = {Place(at.topic, at.partition): max(0, at.offset) for at in answer.topic_partitions or ()}
        lag = {place: end - committed[place] for place, end in self._ends.ends(self._places, PATIENCE_S).items()}
        return {place: behind for place, behind in lag.items() if behind}


def begin_at_the_ends(kafka: KafkaSettings, group: str, topics: Iterable[str]) -> None:
    """Have a new group leave out what other tests wrote."""
    places = [Place(topic, number) for topic in topics for number in range(kafka.partitions)]
    ends = OffsetDirectory(kafka).ends(places, PATIENCE_S)
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(*place, offset) for place, offset in ends.items()])
    admin = AdminClient(kafka.admin_config())  # must outlive the answer
    admin.alter_consumer_group_offsets([wanted])[group].result(PATIENCE_S)
