"""A member whose library has broken joins anew: here the broker has lost every group there was."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from connectors.kafka.consumer import create_consumer
from connectors.kafka.producer import Producer
from connectors.kafka.records import Record
from connectors.kafka.settings import KafkaSettings
from deploy.local.broker.broker import Broker
from schemas.topics import Topic
from tests.integration.kafka.conftest import PATIENCE_S, until
from tests.integration.kafka.test_consumer import Diary, fill, next_offsets
from tests.support.stack import open_broker

Closing = Callable[[Any], Any]

OFFSETS = "__consumer_offsets"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of its own, for it will forget every group."""
    with open_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


def test_a_dynamic_member_of_a_group_that_is_gone(
    settings: KafkaSettings, producer: Producer, topic: Topic, group: str, closing: Closing
) -> None:
    diary = Diary()
    member = closing(create_consumer(settings, group=group, topics=[topic], listener=diary))
    found: list[Record] = []

    def read(count: int) -> None:
        until(lambda: found.extend(member.consume()) or len(found) >= count, f"{count} records", 60)

    fill(producer, topic)
    read(20)
    member.commit(next_offsets(found))
    admin = AdminClient(settings.admin_config())
    for future in admin.delete_topics([OFFSETS]).values():
        future.result(PATIENCE_S)
    until(lambda: member.consume() or diary.lost, "the loss of the group")
    found.clear()
    fill(producer, topic)
    read(40)
    assert sorted(diary.lost) == sorted(diary.assigned[0])
    assert diary.assigned == [dict.fromkeys(diary.lost, 0)] * 2, "what was committed went with the group"
    member.commit(next_offsets(found))
