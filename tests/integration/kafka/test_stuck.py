"""A producer that does not move although its leader answers gives up; one whose Kafka is away or paused does not.

A client of any kind that has lost all brokers is given them back.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import pytest
from confluent_kafka import Producer as LibraryProducer

from connectors.kafka import consumer, guard, leaders, offsets, producer, reader, stuck, view
from connectors.kafka.brokers import give_back
from connectors.kafka.consumer import GroupConsumer, create_consumer
from connectors.kafka.errors import Fatal, TimedOut
from connectors.kafka.guard import STUCK
from connectors.kafka.producer import CONTROL, Producer, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.view import TopicView
from deploy.local.broker.broker import Broker
from schemas.topics import Topic
from tests.integration.kafka.conftest import read, until
from tests.support.broken_clients import hold

pytestmark = pytest.mark.timeout(600)

Closing = Callable[[Any], Any]
PATIENCE_S = 4.0
HELD, FREE = 1, 2


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All in the same proportions, so that a test does not take two minutes."""
    for module in (stuck, producer, reader, consumer):
        monkeypatch.setattr(module, "LOOK_S", 0.2)
    monkeypatch.setattr(stuck, "SUSPICIOUS_S", 0.6)
    monkeypatch.setattr(stuck, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(stuck, "ANSWER_PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(leaders, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(reader, "_KNOW_S", 0.5)
    monkeypatch.setattr(view, "_ASK_S", 0.5)


@pytest.fixture
def hurried(settings: KafkaSettings, closing: Closing) -> Producer:
    """A producer that is guarded in hurried time."""
    producer: Producer = closing(create_producer(settings, CONTROL))
    return producer


def test_one_that_is_stuck_gives_up_and_tells_everybody(hurried: Producer, topic: Topic) -> None:
    hurried.send_blocking(topic, b"key", b"taken", HELD)
    hold(hurried, Place(topic.name, HELD))
    waits = hurried.send_future(topic, b"key", b"held", HELD)
    until(lambda: _goes_on(hurried, topic) and hurried.connection.fatal is not None, "nobody says that it is stuck")
    fatal = hurried.connection.fatal
    assert fatal is not None
    assert fatal.code == STUCK
    assert f"{topic.name}[{HELD}]" in str(fatal)
    assert f"{topic.name}[{FREE}]" not in str(fatal)
    with pytest.raises(Fatal):
        waits.result(60)
    with pytest.raises(Fatal):
        hurried.send(topic, b"key", b"later", FREE)


def test_one_whose_kafka_was_away_goes_on(
    hurried: Producer, topic: Topic, kafka: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[frozenset[Place]] = []

    def led(settings: KafkaSettings, places: Collection[Place]) -> frozenset[Place]:
        asked.append(leaders.led(settings, places))
        return asked[-1]

    hurried.send_blocking(topic, b"key", b"taken", HELD)
    kafka.kill()
    monkeypatch.setattr(guard, "led", led)  # not before: a first record that takes its time is asked about as well
    try:
        waits = [hurried.send_future(topic, b"key", b"%d" % number, HELD) for number in range(3)]
        until(lambda: len(asked) > 2 * PATIENCE_S, "it does not ask on")
        assert hurried.connection.fatal is None
        for patience in ("PATIENCE_S", "ANSWER_PATIENCE_S"):
            monkeypatch.setattr(stuck, patience, 60.0)  # a busy machine may take its time to connect again
    finally:
        kafka.start()
    assert [one.result(60) for one in waits] == [1, 2, 3]
    assert hurried.connection.fatal is None
    assert set(asked[:4]) == {frozenset()}


def test_one_that_has_lost_all_brokers_finds_them_again(settings: KafkaSettings, topic: Topic) -> None:
    taken: list[int | None] = []
    client = LibraryProducer({"log_level": 0})
    client.produce(
        topic.name, b"value", partition=HELD, on_delivery=lambda _error, message: taken.append(message.offset())
    )
    assert client.flush(1.0) == 1, "it knows no broker"
    assert give_back(client, settings.bootstrap_servers), "look at `brokers.KNOWN`"
    assert give_back(client, settings.bootstrap_servers), "more than once does no harm"
    assert client.flush(60) == 0
    assert taken == [0]


def _without_brokers(begin: Callable[..., Any]) -> Callable[..., Any]:
    """The first client that is begun has lost them all."""
    begun: list[Any] = []

    def begin_without(config: dict[str, Any], **options: Any) -> Any:
        kept = {name: value for name, value in config.items() if begun or name != "bootstrap.servers"}
        begun.append(begin(kept, **options))
        return begun[-1]

    return begin_without


@pytest.fixture
def _stranded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer, "LibraryProducer", _without_brokers(producer.LibraryProducer))
    monkeypatch.setattr(offsets, "AdminClient", _without_brokers(offsets.AdminClient))
    for module in (reader, consumer):
        monkeypatch.setattr(module, "LibraryConsumer", _without_brokers(module.LibraryConsumer))


@pytest.fixture(params=["given back", "another release"])
def _release(request: pytest.FixtureRequest, _stranded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library is: in another release, brokers cannot be given back."""
    if request.param == "another release":
        for module in (reader, consumer, offsets):
            monkeypatch.setattr(module, "give_back", lambda _client, _brokers: False)


@pytest.mark.usefixtures("_stranded")
def test_a_producer_that_has_lost_all_brokers_loses_nothing(hurried: Producer, topic: Topic) -> None:
    assert [hurried.send_future(topic, b"key", b"value", HELD).result(60) for _ in range(2)] == [0, 1]
    assert hurried.connection.fatal is None


@pytest.mark.usefixtures("_release")
def test_a_view_that_has_lost_all_brokers_reads_on(settings: KafkaSettings, topic: Topic, closing: Closing) -> None:
    seen: list[int] = []
    lost = closing(TopicView(settings, topic, lambda record: seen.append(record.offset)).start())
    until(lambda: lost.ready, "the view never came to the end")
    give_records(settings, topic, 2)
    until(lambda: seen == [0, 1], "it has not read on")


@pytest.mark.usefixtures("_release")
def test_a_member_that_has_lost_all_brokers_reads_on(
    settings: KafkaSettings, topic: Topic, group: str, closing: Closing
) -> None:
    give_records(settings, topic, 1)
    member: GroupConsumer = closing(create_consumer(settings, group=group, topics=[topic]))
    assert [record.offset for record in read(member, 1)] == [0]


@pytest.mark.usefixtures("_stranded")
def test_a_static_member_that_cannot_have_them_back_has_its_process_leave(
    settings: KafkaSettings, topic: Topic, group: str, closing: Closing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "give_back", lambda _client, _brokers: False)
    member = closing(create_consumer(settings, group=group, topics=[topic], instance_id=group))
    with pytest.raises(Fatal):
        read(member, 1)


@pytest.mark.usefixtures("_release")
def test_a_loader_that_has_lost_all_brokers_has_them_when_it_is_asked_again(
    settings: KafkaSettings, topic: Topic, closing: Closing
) -> None:
    give_records(settings, topic, 1)
    place, loader = Place(topic.name, HELD), closing(PartitionLoader(settings))
    with pytest.raises(TimedOut):
        list(loader.load([place], 0.5))
    found = []
    for timeout_s in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0):  # both have lost them, and a machine may be slow
        with suppress(TimedOut):
            found = [record.offset for record in loader.load([place], timeout_s)]
            break
    assert found == [0]


def test_leaders_are_those_that_answer(settings: KafkaSettings, topic: Topic) -> None:
    places = {Place(topic.name, 0), Place(topic.name, 3)}
    asked = {*places, Place(topic.name, 99), Place("no-such-topic", 0)}
    until(lambda: leaders.led(settings, asked) == places, "a leader of a new topic does not answer")
    two = settings.model_copy(update={"min_insync_replicas": 2})
    assert leaders.led(two, places) == frozenset(), "there are too few replicas"
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    assert leaders.led(nowhere, places) == frozenset()


def give_records(settings: KafkaSettings, topic: Topic, count: int) -> None:
    """By a client that has brokers."""
    client = LibraryProducer(settings.admin_config())
    for _ in range(count):
        client.produce(topic.name, b"value", b"key", HELD)
    assert client.flush(60) == 0


def _goes_on(producer: Producer, topic: Topic) -> bool:
    """What is stuck is one partition: others take records to the end, and that saves nobody."""
    with suppress(Fatal):
        producer.send_future(topic, b"key", b"free", FREE)
    return True
