"""Outputs and input offsets are one; whoever was replaced writes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.kafka import stuck
from connectors.kafka.consumer import GroupConsumer, create_consumer
from connectors.kafka.errors import Abort, Fatal
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.producer import Producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import TransactionalProducer
from schemas.topics import Topic
from tests.integration.kafka.conftest import PATIENCE_S, read, until
from tests.support.broken_clients import hold

Closing = Callable[[Any], Any]
Make = Callable[..., Topic]


@pytest.fixture
def inputs(make_topic: Make) -> Topic:
    return make_topic()


@pytest.fixture
def outputs(make_topic: Make) -> Topic:
    return make_topic()


@pytest.fixture
def join(settings: KafkaSettings, group: str, inputs: Topic, closing: Closing) -> Callable[[str], GroupConsumer]:
    return lambda name: closing(create_consumer(settings, group=group, topics=[inputs], instance_id=f"{group}-{name}"))


@pytest.fixture
def begin(settings: KafkaSettings, closing: Closing) -> Callable[[str], TransactionalProducer]:
    def started(transactional_id: str) -> TransactionalProducer:
        transactions = closing(TransactionalProducer(settings, transactional_id))
        transactions.init()
        return transactions

    return started


def values(settings: KafkaSettings, topic: Topic, closing: Closing) -> list[bytes | None]:
    loader = closing(PartitionLoader(settings))
    return [record.value for record in loader.load([Place(topic.name, number) for number in range(4)], PATIENCE_S)]


def test_a_commit_makes_outputs_and_offsets_visible_together(
    settings: KafkaSettings, producer: Producer, inputs: Topic, outputs: Topic, group: str, closing: Closing,
    join: Callable[[str], GroupConsumer], begin: Callable[[str], TransactionalProducer],
) -> None:  # fmt: skip
    producer.send_blocking(inputs, b"k", b"fact", 1)
    consumer, transactions = join("a"), begin(group)
    (record,) = read(consumer, 1)
    transactions.begin()
    transactions.send(outputs, b"k", b"state", 1)
    transactions.commit({record.place: record.offset + 1}, consumer.membership)
    assert values(settings, outputs, closing) == [b"state"]
    consumer.close()
    successor = join("a")
    until(lambda: successor.consume() or successor.assignment(), "an assignment")
    assert successor.position(Place(inputs.name, 1)) == 1


def test_an_abort_leaves_neither_and_the_work_can_be_done_again(
    settings: KafkaSettings, producer: Producer, inputs: Topic, outputs: Topic, group: str, closing: Closing,
    join: Callable[[str], GroupConsumer], begin: Callable[[str], TransactionalProducer],
) -> None:  # fmt: skip
    producer.send_blocking(inputs, b"k", b"fact", 1)
    consumer, transactions = join("a"), begin(group)
    (record,) = read(consumer, 1)
    transactions.begin()
    transactions.send(outputs, b"k", b"first try", 1)
    transactions.abort()
    consumer.seek(record.place, record.offset)
    (again,) = read(consumer, 1)
    transactions.begin()
    transactions.send(outputs, b"k", b"second try", 1)
    transactions.commit({again.place: again.offset + 1}, consumer.membership)
    assert values(settings, outputs, closing) == [b"second try"]


def test_a_member_that_was_replaced_is_told_to_abort(
    settings: KafkaSettings, producer: Producer, inputs: Topic, outputs: Topic, group: str, closing: Closing,
    join: Callable[[str], GroupConsumer], begin: Callable[[str], TransactionalProducer],
) -> None:  # fmt: skip
    producer.send_blocking(inputs, b"k", b"fact", 1)
    consumer, transactions = join("a"), begin(group)
    (record,) = read(consumer, 1)
    stale = consumer.membership
    newcomer = join("b")
    until(lambda: (consumer.consume(), newcomer.consume()) and newcomer.assignment(), "a rebalance")
    transactions.begin()
    transactions.send(outputs, b"k", b"from the past", 1)
    with pytest.raises(Abort):
        transactions.commit({record.place: record.offset + 1}, stale)
    transactions.abort()
    assert values(settings, outputs, closing) == []


def test_a_second_process_with_the_id_fences_the_first(
    outputs: Topic, group: str, join: Callable[[str], GroupConsumer], begin: Callable[[str], TransactionalProducer]
) -> None:
    consumer, first = join("a"), begin(group)
    until(lambda: consumer.consume() or consumer.assignment(), "an assignment")
    first.begin()
    first.send(outputs, b"k", b"zombie", 1)
    begin(group)
    with pytest.raises(Fatal):
        first.commit({Place("unused", 0): 1}, consumer.membership)


def test_one_that_slept_through_its_time_out_leaves(
    settings: KafkaSettings, outputs: Topic, group: str, join: Callable[[str], GroupConsumer], closing: Closing
) -> None:
    """The coordinator has undone it and takes it for a predecessor: what it holds is of no use any more."""
    consumer = join("a")
    until(lambda: consumer.consume() or consumer.assignment(), "an assignment")
    impatient = settings.model_copy(update={"transaction_timeout_ms": 8_000})  # its record gets there before
    sleepy = closing(TransactionalProducer(impatient, group))
    sleepy.init()
    sleepy.begin()
    sleepy.send(outputs, b"k", b"undone", 1)
    directory, place = OffsetDirectory(settings), Place(outputs.name, 1)
    until(lambda: directory.ends([place])[place] > 0, "the record is not written")
    until(lambda: directory.stable_ends([place]) == directory.ends([place]), "nobody undoes it")
    with pytest.raises(Fatal, match="or its transaction took longer than its time-out"):
        sleepy.commit({Place("unused", 0): 1}, consumer.membership)
    assert values(settings, outputs, closing) == []


def test_one_that_never_commits_again_though_the_leaders_answer_leaves(
    settings: KafkaSettings, outputs: Topic, group: str, join: Callable[[str], GroupConsumer], closing: Closing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(stuck, "ANSWER_PATIENCE_S", 1.0)
    unhurried = settings.model_copy(update={"transaction_timeout_ms": 15_000})
    consumer, transactions = join("a"), closing(TransactionalProducer(unhurried, group))
    transactions.init()
    until(lambda: consumer.consume() or consumer.assignment(), "an assignment")

    def undone_again_and_again() -> None:
        for _ in range(4):  # a leader that is slow to answer is asked once more
            transactions.begin()
            transactions.send(outputs, b"k", b"state", 1)
            with pytest.raises(Abort):
                transactions.commit({Place("unused", 0): 1}, consumer.membership)
            transactions.abort()

    transactions.begin()
    transactions.send(outputs, b"k", b"undone", 1)
    transactions.abort()  # once is nothing
    hold(transactions, Place(outputs.name, 1))
    with pytest.raises(Fatal, match="their leader answers"):
        undone_again_and_again()
    assert transactions.connection.fatal is not None
