"""What is still written when its partition has moved to another member is looked after all the same."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from connectors.host.health import Health
from connectors.host.settings import HealthSettings
from connectors.kafka.deletions import Deleted
from connectors.objects.errors import Unavailable
from schemas.records import OutputKind, Segment
from sinks.objects.patience import Abandoned, Patience
from sinks.objects.service import Connections, ObjectsSink
from sinks.objects.settings import SinkObjectsSettings
from tests.support.memory_deletions import MemoryDeletions, deleted
from tests.support.processes import wait_for
from tests.unit.sinks.objects.test_service import PLACE, SEGMENT, Consumer, NoCopies, Work, running


@pytest.fixture
def health() -> Health:
    return Health("sink-objects", HealthSettings())


@pytest.fixture
def deletions() -> MemoryDeletions:
    return MemoryDeletions()


class Slow(Work):
    """Its write is under way until `over`, as it is of who was frozen; then it lands."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.over = threading.Event(), threading.Event()

    def store(self, *_: Any) -> None:
        self.begun.set()
        assert self.over.wait(60)
        super().store()

    def forget(self, _segment: Segment, _deleted: Deleted, patience: Patience) -> None:
        patience.until_done("deletion", lambda: self.done.append("forget"))


def moved_away(work: Slow, health: Health, deletions: MemoryDeletions, *, is_deleted: bool = True) -> None:
    """Its partition goes while it is written; by the time that it is, its session was deleted, or not."""
    sink = ObjectsSink(work, Connections(work, None, None, deletions, NoCopies()), SinkObjectsSettings(), health)  # type: ignore[arg-type]
    sink.attach(Consumer())  # type: ignore[arg-type]

    def is_begun() -> bool:
        sink.step()
        return work.begun.is_set()

    wait_for(is_begun, 60, lambda: "nothing is written")
    [writing] = running(sink)
    sink.on_lost([PLACE])
    deletions.stated = {"app_1": deleted()} if is_deleted else {}
    work.over.set()
    with pytest.raises(Abandoned):
        writing.result(60)
    sink.close()


@pytest.mark.parametrize("is_deleted", [True, False])
def test_what_is_still_written_when_its_partition_has_moved_away_is_looked_after(
    health: Health, deletions: MemoryDeletions, *, is_deleted: bool
) -> None:
    """Who holds the partition now may have erased the session before that: nobody else looks there once more."""
    work = Slow()
    moved_away(work, health, deletions, is_deleted=is_deleted)
    assert work.done == (["store", "forget"] if is_deleted else ["store"])


def test_what_is_deleted_while_it_is_finished_is_forgotten_by_who_has_lost_the_partition(
    health: Health, deletions: MemoryDeletions
) -> None:
    class Ending(Slow):
        def decode_patiently(self, *_: Any) -> Segment:
            return replace(SEGMENT, kind=OutputKind.END)

        def check(self, _end: Segment) -> None:
            return

        def finish(self, *_: Any) -> None:
            self.store()
            raise Abandoned

    work = Ending()
    moved_away(work, health, deletions)
    assert work.done == ["store", "forget"]


def test_the_last_look_waits_for_nothing(health: Health, deletions: MemoryDeletions) -> None:
    """It may be the last that a process does."""
    work = Slow()
    work.forget = lambda *given: given[-1].until_done("deletion", refusing)  # type: ignore[method-assign]
    moved_away(work, health, deletions)


def refusing() -> None:
    raise Unavailable("away")
