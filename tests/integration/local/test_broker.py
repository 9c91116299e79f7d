"""The embedded broker is a real one: it keeps what was acknowledged, through a clean stop and through a kill."""

from __future__ import annotations

import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from deploy.local.broker import probe
from deploy.local.broker.broker import Broker
from deploy.local.unit import UnitFailed
from tests.support.processes import PATIENCE_S

pytestmark = pytest.mark.timeout(600)

EIGHT_MIB = 8 * 1024 * 1024


@pytest.fixture
def topic(kafka: Broker) -> str:
    name = f"probe-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(name, 1, 1, config={"max.message.bytes": str(EIGHT_MIB + 65536)})])[name].result(
        PATIENCE_S
    )
    return name


def produce(kafka: Broker, topic: str, *values: bytes) -> None:
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap, "enable.idempotence": True, "message.max.bytes": EIGHT_MIB + 4096}
    )
    errors: list[object] = []
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(PATIENCE_S) == 0
    assert errors == [None] * len(values)


def consume(kafka: Broker, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": uuid.uuid4().hex})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        messages = [consumer.poll(PATIENCE_S) for _ in range(count)]
    finally:
        consumer.close()
    assert all(message is not None and message.error() is None for message in messages)
    return [message.value() for message in messages]


def test_a_record_of_eight_mebibytes_makes_the_round_trip(kafka: Broker, topic: str) -> None:
    large = bytes(range(256)) * (EIGHT_MIB // 256)

    produce(kafka, topic, b"small", large)

    assert consume(kafka, topic, 2) == [b"small", large]


def test_acknowledged_records_survive_a_stop_and_a_kill_on_the_same_port(kafka: Broker, topic: str) -> None:
    address = kafka.bootstrap
    produce(kafka, topic, b"before the stop")

    kafka.stop()
    kafka.start()
    produce(kafka, topic, b"before the kill")
    kafka.kill()
    kafka.start()
    produce(kafka, topic, b"after")

    assert kafka.bootstrap == address
    assert consume(kafka, topic, 3) == [b"before the stop", b"before the kill", b"after"]


def test_nothing_creates_a_topic_by_the_way(kafka: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})

    admin.list_topics("not-there", timeout=PATIENCE_S)

    assert "not-there" not in admin.list_topics(timeout=PATIENCE_S).topics


def test_the_broker_allows_short_sessions(kafka: Broker) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    resource = ConfigResource(ConfigResource.Type.BROKER, "1")

    settings = admin.describe_configs([resource])[resource].result(PATIENCE_S)

    assert settings["group.consumer.session.timeout.ms"].value == "8000"
    assert settings["group.min.session.timeout.ms"].value == "6000"
    assert settings["message.max.bytes"].value == str(16 * 1024 * 1024 + 65536)


def test_the_probe_knows_its_own_cluster_from_another(kafka: Broker) -> None:
    port = int(kafka.bootstrap.rpartition(":")[2])

    assert not probe.answers(port, "AAAAAAAAAAAAAAAAAAAAAA")


def test_a_second_start_is_refused_instead_of_fought_over(kafka: Broker) -> None:
    with pytest.raises(UnitFailed, match="already running"):
        kafka.start()
