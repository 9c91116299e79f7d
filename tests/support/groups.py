"""Where a consumer group stands, asked of the broker and told to it."""

from collections.abc import Collection, Iterable

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from tests.support.processes import PATIENCE_S


class Committed:
    """A group's committed offsets, asked of its coordinator as by a member that never joins.

    Not by `AdminClient.list_consumer_group_offsets`: a coordinator that moves away or is just coming up makes that one
    crash the process (librdkafka 5040, seen at the end of an hour's run).
    """

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        self._consumer = Consumer(
            kafka.admin_config()
            | {
                "group.id": group,
                "enable.auto.commit": False,
                "isolation.level": "read_uncommitted",  # else it waits for transactions that are open
            }
        )

    def __call__(self, places: Collection[Place], timeout_s: float = PATIENCE_S) -> dict[Place, int]:
        """The next record to read; 0 where nothing was ever committed. Raises KafkaException."""
        found = self._consumer.committed([TopicPartition(*place) for place in places], timeout_s)
        for at in found:
            if at.error is not None:
                raise KafkaException(at.error)
        return {Place(at.topic, at.partition): max(0, at.offset) for at in found}

    def close(self) -> None:
        self._consumer.close()


class Lag:
    """Call it for the records not committed yet, by partition; those with none are left out."""

    def __init__(self, kafka: KafkaSettings, group: str, topics: Iterable[str]) -> None:
        self._committed = Committed(kafka, group)
        self._ends = OffsetDirectory(kafka)
        self._places = [Place(topic, number) for topic in topics for number in range(kafka.partitions)]

    def __call__(self) -> dict[Place, int]:
        committed = self._committed(self._places)
        lag = {place: end - committed[place] for place, end in self._ends.ends(self._places, PATIENCE_S).items()}
        return {place: behind for place, behind in lag.items() if behind}


def begin_at_the_ends(kafka: KafkaSettings, group: str, topics: Iterable[str]) -> None:
    """Have a new group leave out what other tests wrote."""
    places = [Place(topic, number) for topic in topics for number in range(kafka.partitions)]
    ends = OffsetDirectory(kafka).ends(places, PATIENCE_S)
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(*place, offset) for place, offset in ends.items()])
    admin = AdminClient(kafka.admin_config())  # must outlive the answer
    admin.alter_consumer_group_offsets([wanted])[group].result(PATIENCE_S)
