"""What the sink's loop commits, and when it says that it is ready."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import count
from typing import Any

import pytest

from connectors.host.health import Health
from connectors.host.settings import HealthSettings
from connectors.kafka.deletions import Deleted
from connectors.kafka.errors import KafkaError, NotMember, TimedOut
from connectors.kafka.records import Place, Record
from connectors.objects.errors import Unavailable
from schemas.records import OutputKind, Segment
from schemas.topics import RECORDING_SEGMENTS
from sinks.objects.patience import Abandoned, Patience
from sinks.objects.service import Connections, ObjectsSink
from sinks.objects.settings import SinkObjectsSettings
from tests.support.memory_deletions import MemoryDeletions, deleted

PLACE = Place(RECORDING_SEGMENTS.name, 3)
RECORD = Record(*PLACE, 7, 0, b"app_1", b"a segment")
SEGMENT = Segment(session_id="app_1", kind=OutputKind.ITEM, segment_id="seg_1")


class Consumer:
    """Gives its records; refuses to commit as often as told to."""

    def __init__(self, *refusals: KafkaError, records: Sequence[Record] = (RECORD,)) -> None:
        self.held = frozenset({PLACE})
        self.committed: dict[Place, int] = {}
        self._records = [list(records)]
        self._refusals = list(refusals)

    def consume(self, _max_records: int) -> Sequence[Record]:
        return self._records.pop() if self._records else []

    def assignment(self) -> frozenset[Place]:
        return self.held

    def pause(self, _places: Sequence[Place]) -> None:
        return

    def commit(self, offsets: Mapping[Place, int]) -> None:
        if offsets and self._refusals:
            raise self._refusals.pop(0)
        self.committed |= offsets


class NoCopies:
    """There is nothing to copy; which partitions it was asked about."""

    def __init__(self) -> None:
        self.held: list[set[int]] = []

    def step(self, held: set[int]) -> None:
        self.held.append(held)

    def close(self) -> None:
        return


class Work:
    """Decodes everything as the same segment, and stores it at once."""

    def knows(self, _data: bytes) -> bool:
        return True

    def decode_patiently(self, *_: Any) -> Segment:
        return SEGMENT

    def __init__(self) -> None:
        self.done: list[str] = []
        self.part = "objects"

    def store(self, *_: Any) -> None:
        self.done.append("store")

    def forget(self, *_: Any) -> None:
        self.done.append("forget")

    def erase(self, found: Deleted, _patience: Any) -> None:
        self.done.append(f"erase {found.session_id}")


@pytest.fixture
def health() -> Health:
    return Health("sink-objects", HealthSettings())


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def deletions() -> MemoryDeletions:
    return MemoryDeletions()


@pytest.fixture
def sink(health: Health, work: Work, deletions: MemoryDeletions) -> Iterator[ObjectsSink]:
    settings = SinkObjectsSettings(retry_s=0.001)
    made = ObjectsSink(work, Connections(work, None, None, deletions, NoCopies()), settings, health)  # type: ignore[arg-type]
    yield made
    made.close()


def run(sink: ObjectsSink, consumer: Consumer, steps: int = 50) -> None:
    sink.attach(consumer)  # type: ignore[arg-type]
    sink.step()
    for future in [future for partition in sink._partitions.values() for future in partition.running.values()]:
        future.result(60)
    for _ in range(steps):
        sink.step()


def test_a_commit_that_failed_is_made_good_although_nothing_follows(sink: ObjectsSink) -> None:
    consumer = Consumer(KafkaError("no coordinator"), KafkaError("no coordinator"))
    run(sink, consumer)
    assert consumer.committed == {PLACE: 8}


def test_what_another_member_holds_is_not_committed(sink: ObjectsSink) -> None:
    consumer = Consumer(NotMember("moved"))
    run(sink, consumer)
    assert consumer.committed == {}


def test_what_moved_away_is_not_committed_later(sink: ObjectsSink) -> None:
    consumer = Consumer(*[KafkaError("no coordinator")] * 5)
    run(sink, consumer, steps=2)
    sink.on_lost([PLACE])
    run(sink, consumer)
    assert consumer.committed == {}


def test_without_a_partition_it_is_not_ready(sink: ObjectsSink, health: Health) -> None:
    health.ready(True)
    assert not health.is_ready()
    consumer = Consumer()
    run(sink, consumer)
    assert health.is_ready()
    consumer.held = frozenset()
    sink.step()
    assert not health.is_ready()


class Unexplained(Work):
    """Only a registry that is away knows what the record says."""

    def decode_patiently(self, _topic: Any, _data: bytes, wait: Callable[[float], bool]) -> None:
        while not wait(0.001):
            pass


def test_a_record_that_waits_for_the_registry_is_let_go_with_its_partition(health: Health) -> None:
    work = Unexplained()
    sink = ObjectsSink(
        work, Connections(work, None, None, MemoryDeletions(), NoCopies()), SinkObjectsSettings(), health
    )  # type: ignore[arg-type]
    consumer = Consumer()
    sink.attach(consumer)  # type: ignore[arg-type]
    sink.step()
    [waiting] = [future for partition in sink._partitions.values() for future in partition.running.values()]
    sink.step()
    assert (waiting.done(), consumer.committed) == (False, {})
    sink.on_lost([PLACE])
    with pytest.raises(Abandoned):
        waiting.result(60)
    sink.close()


class New(Work):
    """What another release has written to one partition only a registry that is away can explain."""

    def __init__(self) -> None:
        super().__init__()
        self.stored = threading.Event()

    def knows(self, data: bytes) -> bool:
        return data != b"new"

    def decode_patiently(self, _topic: Any, data: bytes, wait: Callable[[float], bool]) -> Segment:
        while not self.knows(data) and not wait(0.001):
            pass
        return SEGMENT

    def store(self, *_: Any) -> None:
        self.stored.set()


def test_what_waits_for_the_registry_holds_up_no_other_partition(health: Health) -> None:
    work, settings = New(), SinkObjectsSettings()
    sink = ObjectsSink(work, Connections(work, None, None, MemoryDeletions(), NoCopies()), settings, health)  # type: ignore[arg-type]
    new = [RECORD._replace(offset=offset, value=b"new") for offset in range(settings.uploads)]
    sink.attach(Consumer(records=(*new, RECORD._replace(partition=4))))  # type: ignore[arg-type]
    sink.step()
    is_stored = work.stored.wait(15)
    sink.on_lost([PLACE])
    sink.close()
    assert is_stored


def test_what_is_deleted_is_not_stored(sink: ObjectsSink, work: Work, deletions: MemoryDeletions) -> None:
    deletions.known = {"app_1": deleted()}
    consumer = Consumer()
    run(sink, consumer)
    assert (work.done, consumer.committed) == (["forget"], {PLACE: 8})


def test_what_is_deleted_while_it_is_stored_is_forgotten_before_its_commit(
    sink: ObjectsSink, work: Work, deletions: MemoryDeletions
) -> None:
    deletions.stated = {"app_1": deleted()}
    consumer = Consumer()
    run(sink, consumer)
    assert (work.done, consumer.committed) == (["store", "forget"], {PLACE: 8})


def test_while_nobody_can_say_what_is_deleted_it_is_asked_again(
    sink: ObjectsSink, work: Work, deletions: MemoryDeletions, health: Health
) -> None:
    deletions.errors, deletions.stated = [TimedOut("away")] * 3, {"app_1": deleted()}
    health.ready(True)
    consumer = Consumer()
    run(sink, consumer)
    assert (work.done, consumer.committed) == (["store", "forget"], {PLACE: 8})
    assert health.is_ready()


class Stuck(Work):
    """What is stored fails, each for as long as it is to."""

    def __init__(self) -> None:
        super().__init__()
        self.told = {offset: threading.Event() for offset in (7, 8)}
        self.over = {offset: threading.Event() for offset in self.told}
        self._offsets = iter(self.over)

    def store(self, _segment: Segment, patience: Patience) -> None:
        offset, tries = next(self._offsets), count()

        def call() -> None:
            if next(tries):
                self.told[offset].set()  # of the failure before
            if not self.over[offset].is_set():
                raise Unavailable("away")

        patience.until_done("segment", call)


@pytest.fixture
def stuck(health: Health) -> Iterator[tuple[ObjectsSink, Stuck]]:
    """Two records of one partition, neither of which can be stored."""
    work = Stuck()
    connections = Connections(work, None, None, MemoryDeletions(), NoCopies())  # type: ignore[arg-type]
    sink = ObjectsSink(work, connections, SinkObjectsSettings(retry_s=0.001, longest_retry_s=0.001), health)  # type: ignore[arg-type]
    health.ready(True)
    sink.attach(Consumer(records=(RECORD, RECORD._replace(offset=8))))  # type: ignore[arg-type]
    sink.step()
    assert all(told.wait(60) for told in work.told.values())
    assert not health.is_ready()
    yield sink, work
    for over in work.over.values():
        over.set()
    sink.close()


def running(sink: ObjectsSink) -> list[Future[Segment | None]]:
    return [future for partition in sink._partitions.values() for future in partition.running.values()]


def test_it_is_ready_when_nothing_is_in_trouble_any_more(stuck: tuple[ObjectsSink, Stuck], health: Health) -> None:
    sink, work = stuck
    first, second = running(sink)
    work.over[7].set()
    wait([first, second], 60, FIRST_COMPLETED)
    assert not health.is_ready(), "the other one is still in trouble"
    work.over[8].set()
    wait([first, second], 60)
    sink.step()
    assert health.is_ready()


def test_it_is_ready_when_what_was_in_trouble_has_moved_away(stuck: tuple[ObjectsSink, Stuck], health: Health) -> None:
    sink, _ = stuck
    under_way = running(sink)
    sink.on_lost([PLACE])
    wait(under_way, 60)
    sink.step()
    assert health.is_ready()


def test_objects_are_erased_once_by_whoever_holds_the_partition(
    sink: ObjectsSink, work: Work, deletions: MemoryDeletions
) -> None:
    deletions.due = [deleted("app_3", PLACE.partition), deleted("app_4", PLACE.partition + 1)]
    consumer = Consumer()
    run(sink, consumer)
    [erasing] = sink._erasing.values()
    erasing.erased.result(60)
    sink.step()
    assert [done for done in work.done if done.startswith("erase")] == ["erase app_3"]
    deletions.due = []
    sink.step()
    assert sink._erasing == {}


def test_a_deletion_under_way_is_left_to_the_next_member(health: Health, deletions: MemoryDeletions) -> None:
    class Erasing(Work):
        def erase(self, _found: Deleted, patience: Patience) -> None:
            while not patience.wait(0.001):
                pass
            self.done.append("left")

    work = Erasing()
    made = ObjectsSink(work, Connections(work, None, None, deletions, NoCopies()), SinkObjectsSettings(), health)  # type: ignore[arg-type]
    deletions.due = [deleted("app_3", PLACE.partition)]
    made.attach(Consumer())  # type: ignore[arg-type]
    made.step()
    [erasing] = made._erasing.values()
    made.on_lost([PLACE])
    erasing.erased.result(60)
    assert (work.done[-1], made._erasing) == ("left", {})
    made.close()
