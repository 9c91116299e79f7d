"""Group members of every kind behave the same: where they start, what they commit, how they hand over."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.host.clock import SystemClock
from connectors.kafka.consumer import GroupConsumer, Listener, create_consumer
from connectors.kafka.errors import Fatal, KafkaError, Misconfigured, NotMember, OffsetOutOfRange, TimedOut
from connectors.kafka.metrics import LAG
from connectors.kafka.producer import Producer
from connectors.kafka.records import BEGINNING, Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.topics import Topic
from tests.integration.kafka.conftest import PATIENCE_S, read, until

Closing = Callable[[Any], Any]
Join = Callable[..., GroupConsumer]

REST_S = 3.0


class Diary(Listener):
    """Writes down what happens to a member; `restart` sends every partition back to its beginning."""

    def __init__(self, restart: bool = False) -> None:
        self.assigned: list[dict[Place, int]] = []
        self.revoked: list[Place] = []
        self.lost: list[Place] = []
        self._restart = restart

    def on_assigned(self, starts: dict[Place, int]) -> Mapping[Place, int] | None:
        self.assigned.append(starts)
        return dict.fromkeys(starts, BEGINNING) if self._restart else None

    def on_revoked(self, revoked: list[Place]) -> None:
        self.revoked += revoked

    def on_lost(self, lost: list[Place]) -> None:
        self.lost += lost


@pytest.fixture(params=["consumer", "classic", "static"])
def join(request: pytest.FixtureRequest, settings: KafkaSettings, topic: Topic, group: str, closing: Closing) -> Join:
    protocol = "consumer" if request.param == "consumer" else "classic"
    ours = settings.model_copy(update={"group_protocol": protocol})

    def joined(name: str = "a", listener: Listener | None = None) -> GroupConsumer:
        instance = f"{group}-{name}" if request.param == "static" else None
        return closing(create_consumer(ours, group=group, topics=[topic], listener=listener, instance_id=instance))

    return joined


def fill(producer: Producer, topic: Topic, count: int = 20) -> None:
    for number in range(count):
        producer.send(topic, b"k", b"%d" % number, number % 4)
    assert producer.flush(PATIENCE_S) == 0


def next_offsets(records: list[Record]) -> dict[Place, int]:
    return {record.place: record.offset + 1 for record in records}


def test_without_a_commit_reading_starts_at_the_beginning(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    diary = Diary()
    records = read(join(listener=diary), 20)
    assert sorted(int(record.value or b"") for record in records) == list(range(20))
    assert diary.assigned == [dict.fromkeys([Place(topic.name, number) for number in range(4)], 0)]


def test_a_successor_goes_on_where_was_committed(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    first = join()
    read(first, 20)
    first.commit({Place(topic.name, 0): 2, Place(topic.name, 1): 5})
    first.close()
    diary = Diary()
    records = read(join(listener=diary), 5 - 2 + 5 + 5)
    assert diary.assigned == [{Place(topic.name, n): offset for n, offset in enumerate([2, 5, 0, 0])}]
    assert len(records) == 13


def test_how_far_a_member_is_behind_is_said(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic, 400)  # one at a time that takes several of the seconds after which it is looked again
    member, lag = join(), LAG.labels(topic.name)
    until(lambda: member.consume(max_records=1) and lag._value.get() > 0, "no lag is said with one record read")
    until(lambda: member.consume() is not None and lag._value.get() == 0, "a lag is said with everything read")


def test_a_listener_may_start_elsewhere(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    first = join()
    first.commit(next_offsets(read(first, 20)))
    first.close()
    assert len(read(join(listener=Diary(restart=True)), 20)) == 20


def test_a_second_member_takes_a_share_without_disturbing_the_rest(
    join: Join, producer: Producer, topic: Topic
) -> None:
    fill(producer, topic)
    diary = Diary()
    first, second = join("a", diary), None
    records = read(first, 20)
    first.commit(next_offsets(records))
    second = join("b")

    def shared() -> bool:
        assert first.consume() == []
        assert second.consume() == []
        return len(first.assignment()) == len(second.assignment()) == 2

    until(shared, "two partitions each")
    assert len(diary.revoked) == 2
    assert diary.lost == []
    assert not first.assignment() & second.assignment()


def test_a_position_passes_what_holds_no_record(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    consumer = join()
    read(consumer, 20)
    assert {place: consumer.position(place) for place in consumer.assignment()} == consumer.ends()


def test_paused_partitions_are_silent_until_resumed(join: Join, producer: Producer, topic: Topic) -> None:
    consumer = join()
    until(lambda: consumer.consume() or consumer.assignment(), "an assignment")
    quiet = [Place(topic.name, 0), Place(topic.name, 1)]
    consumer.pause(quiet)
    fill(producer, topic)
    assert {record.place for record in read(consumer, 10)}.isdisjoint(quiet)
    assert consumer.consume() == []
    consumer.resume(quiet)
    assert {record.place for record in read(consumer, 10)} == set(quiet)


def test_partitions_that_come_back_are_not_paused_any_more(join: Join, producer: Producer, topic: Topic) -> None:
    first = join("a")
    until(lambda: first.consume() or len(first.assignment()) == 4, "an assignment")
    first.pause([*first.assignment()])
    second = join("b")
    until(lambda: first.consume() or second.consume() or len(first.assignment()) == 2, "two partitions each")
    second._library.unsubscribe()
    until(lambda: first.consume() or second.consume() or len(first.assignment()) == 4, "what went away")
    fill(producer, topic)
    mine = {record.place for record in read(first, 10)}
    assert len(mine) == 2, "what was held all the time stays paused, what came back is read"


def test_seeking_reads_again(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    consumer = join()
    read(consumer, 20)
    consumer.seek(Place(topic.name, 3), 3)
    assert [record.offset for record in read(consumer, 2)] == [3, 4]


def test_what_retention_took_is_an_error_and_what_came_before_is_not_lost(
    join: Join, producer: Producer, topic: Topic, settings: KafkaSettings
) -> None:
    fill(producer, topic)
    consumer = join()
    consumer.commit(next_offsets(read(consumer, 20)) | {Place(topic.name, 0): 1})
    consumer.close()
    admin = AdminClient(settings.admin_config())
    for future in admin.delete_records([TopicPartition(topic.name, 0, 3)]).values():
        future.result(PATIENCE_S)
    successor = join("b")
    with pytest.raises(OffsetOutOfRange) as error:
        read(successor, 1)
    assert error.value.place == Place(topic.name, 0)
    successor.seek(error.value.place, BEGINNING)
    assert [record.offset for record in read(successor, 2)] == [3, 4]


def test_retention_that_took_from_several_partitions_at_once_is_told_of_each(
    join: Join, producer: Producer, topic: Topic, settings: KafkaSettings
) -> None:
    fill(producer, topic)
    consumer = join()
    consumer.commit(next_offsets(read(consumer, 20)) | {Place(topic.name, number): 1 for number in range(4)})
    consumer.close()
    admin = AdminClient(settings.admin_config())
    for future in admin.delete_records([TopicPartition(topic.name, number, 3) for number in range(4)]).values():
        future.result(PATIENCE_S)
    successor, records = join("b"), []

    def is_all_read() -> bool:
        try:
            records.extend(successor.consume())
        except OffsetOutOfRange as error:
            successor.seek(error.place, BEGINNING)
        return len(records) == 8

    until(is_all_read, "what is left of every partition")
    assert sorted((record.partition, record.offset) for record in records) == [
        (partition, offset) for partition in range(4) for offset in (3, 4)
    ]


def test_who_is_not_a_member_cannot_commit(join: Join, topic: Topic) -> None:
    consumer = join()
    until(lambda: consumer.consume() or consumer.assignment(), "an assignment")
    consumer._library.unsubscribe()
    refusals: list[KafkaError] = []

    def refused() -> bool:
        consumer.consume()
        try:
            consumer.commit({Place(topic.name, 0): 1})
        except KafkaError as error:
            refusals.append(error)
        return bool(refusals)

    until(refused, "a refusal")
    assert isinstance(refusals[0], NotMember)


class Failing(Listener):
    """Cannot take anything over."""

    def on_assigned(self, starts: dict[Place, int]) -> Mapping[Place, int] | None:
        raise Misconfigured("no topic")


def test_an_assignment_that_failed_is_the_end_of_the_member(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    consumer = join(listener=Failing())
    with pytest.raises(Fatal, match="an assignment failed"):
        read(consumer, 1)
    with pytest.raises(Fatal, match="an assignment failed"):
        consumer.consume()


class Late(Diary):
    """Can take over at the third time of asking."""

    def on_assigned(self, starts: dict[Place, int]) -> Mapping[Place, int] | None:
        super().on_assigned(starts)
        if len(self.assigned) < 3:
            raise TimedOut("no state")
        return None


def test_nothing_is_read_before_the_listener_has_taken_over(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    first = join()
    first.commit(next_offsets(read(first, 20)))
    first.close()
    fill(producer, topic)
    diary = Late()
    second = join(listener=diary)
    found: list[Record] = []

    def is_taken() -> bool:
        assert not found or len(diary.assigned) == 3
        assert not second.assignment() or len(diary.assigned) == 3
        found.extend(second.consume())
        return len(found) == 20

    until(is_taken, "what was not committed")
    assert {record.offset for record in found} == set(range(5, 10))
    assert len(diary.assigned) == 3


class HandClock(SystemClock):
    """Goes on when it is told to."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


def test_what_is_put_back_is_read_again_after_its_rest_and_the_others_go_on(
    join: Join, producer: Producer, topic: Topic
) -> None:
    fill(producer, topic)
    member, place, clock = join(), Place(topic.name, 1), HandClock()
    read(member, 20)
    fill(producer, topic)
    member._clock = clock
    member.put_back({place: 2, Place("moved away", 0): 7}, rest_s=REST_S)
    assert member.position(place) == 2
    assert sorted({record.place for record in read(member, 15)}) == [Place(topic.name, number) for number in (0, 2, 3)]
    clock.now_s = REST_S - 0.1
    assert member.consume() == []
    clock.now_s = REST_S
    assert [(record.place, record.offset) for record in read(member, 8)] == [(place, offset) for offset in range(2, 10)]
    assert member.position(place) == 10


def test_a_partition_that_rests_can_move_away(join: Join, producer: Producer, topic: Topic) -> None:
    fill(producer, topic)
    first = join()
    records = read(first, 20)
    first.put_back({place: 0 for place in next_offsets(records)}, rest_s=10 * PATIENCE_S)
    second = join("b")
    found: list[Record] = []

    def has_moved() -> bool:
        assert first.consume() == []
        found.extend(second.consume())
        return len(first.assignment()) == len(second.assignment()) == 2 and len(found) == 10

    until(has_moved, "half of the partitions with the other member, from their beginning")
