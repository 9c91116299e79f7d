"""Where partitions end, asked before and after a broker came back."""

import threading
from contextlib import suppress

import pytest

from connectors.kafka.errors import KafkaError
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from deploy.local.broker.broker import Broker
from schemas.topics import Topic
from tests.support.processes import PATIENCE_S, wait_for

pytestmark = pytest.mark.timeout(900)


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
        assert directory.ends([place], PATIENCE_S) == {place: ends}
        assert directory.starts([place], PATIENCE_S) == {place: 0}


def test_a_partition_is_never_believed_to_end_before_it_does(
    kafka: Broker, settings: KafkaSettings, topic: Topic
) -> None:
    """Asked all the while a broker dies and comes up: an answer without an error need not be one."""
    producer = create_producer(settings, CONTROL)
    wanted = {Place(topic.name, 1): producer.send_blocking(topic, b"k", b"v", 1) + 1}
    producer.close()
    over, found = threading.Event(), list[dict[Place, int]]()

    def ask() -> None:
        directory = OffsetDirectory(settings)
        while not over.is_set():
            with suppress(KafkaError):
                found.append(directory.ends(wanted, 2.0))

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    try:
        for _ in range(3):
            kafka.kill()
            kafka.start()
            before = len(found)
            wait_for(lambda before=before: len(found) > before + len(asking), PATIENCE_S, lambda: "nobody is answered")
    finally:
        over.set()
        for thread in asking:
            thread.join()
    assert [answer for answer in found if answer != wanted] == []
