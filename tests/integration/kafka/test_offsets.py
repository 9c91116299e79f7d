"""Where partitions end, asked before and after a broker came back."""

from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from deploy.local.broker.broker import Broker
from schemas.topics import Topic


def test_a_restarted_broker_is_asked_anew(kafka: Broker, settings: KafkaSettings, topic: Topic) -> None:
    """A restart raises the leader epoch: who asks with the old one is refused, for as long as he does."""
    directory, place = OffsetDirectory(settings), Place(topic.name, 1)
    assert directory.ends([place]) == {place: 0}
    for ends in (1, 2):
        kafka.stop()
        kafka.start()
        producer = create_producer(settings, CONTROL)
        producer.send_blocking(topic, b"k", b"v", 1)
        producer.close()
        assert directory.ends([place]) == {place: ends}
        assert directory.starts([place]) == {place: 0}
