"""Offsets are committed in order, and an end waits for everything before it."""

from hypothesis import given
from hypothesis import strategies as st

from sinks.objects.lanes import Job, Lane


def lane_of(count: int, *, size: int = 10, limit: int = 1000) -> tuple[Lane, list[Job]]:
    lane = Lane(limit)
    return lane, [lane.add(Job(offset, size)) for offset in range(count)]


@given(st.permutations(range(12)))
def test_committed_is_what_is_done_without_a_gap(order: list[int]) -> None:
    lane, jobs = lane_of(12)
    done: set[int] = set()
    committed = 0
    for offset in order:
        lane.done(jobs[offset])
        done.add(offset)
        settled = lane.settle()
        committed = committed if settled is None else settled
        assert committed == next(offset for offset in range(13) if offset not in done)
    assert lane.held_bytes == 0


def test_an_end_starts_once_when_everything_before_it_is_done() -> None:
    lane, jobs = lane_of(4)
    jobs[2].is_end = True
    lane.done(jobs[0])
    lane.done(jobs[3])
    assert lane.startable_end() is None
    lane.done(jobs[1])
    assert lane.startable_end() is jobs[2]
    assert lane.startable_end() is None
    assert lane.settle() == 2
    lane.done(jobs[2])
    assert lane.settle() == 4


def test_a_partition_is_paused_while_too_much_is_held() -> None:
    lane, jobs = lane_of(10, size=100, limit=900)
    assert lane.should_pause
    lane.is_paused = True
    for job in jobs[:5]:
        assert lane.should_pause
        lane.done(job)
    lane.done(jobs[5])
    assert not lane.should_pause


def test_a_partition_is_paused_while_a_recording_is_finished() -> None:
    lane, jobs = lane_of(2)
    jobs[1].is_end = True
    assert lane.should_pause
    for job in jobs:
        lane.done(job)
    lane.settle()
    assert not lane.should_pause
