"""An account tells what became of records without having kept one: refused ones come back as they were sent."""

from collections.abc import Iterator

import pytest

from connectors.kafka.producer import MEDIA, Producer, create_producer
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from tests.support.processes import PATIENCE_S, wait_for


@pytest.fixture
def producer() -> Iterator[Producer]:
    producer = create_producer(KafkaSettings(bootstrap_servers="127.0.0.1:1"), MEDIA)
    yield producer
    producer.close(0.1)


def test_each_account_gets_its_own_records_back_in_order(producer: Producer) -> None:
    sound, pictures = producer.account(topics.AUDIO), producer.account(topics.VIDEO)
    for number in range(3):
        sound.send(b"key", b"sound %d" % number, 0)
    pictures.send(b"key", b"picture", 1)
    assert (sound.sent, sound.settled) == (3, 0)
    producer.purge()
    wait_for(lambda: sound.settled == 3 and pictures.settled == 1, PATIENCE_S, lambda: "nobody was told of the purge")
    assert list(sound.refused) == [b"sound 0", b"sound 1", b"sound 2"]
    assert list(pictures.refused) == [b"picture"]
    assert producer.acknowledged == 0
