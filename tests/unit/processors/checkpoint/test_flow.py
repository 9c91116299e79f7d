"""Which inputs are paused: never both of a partition, never one that waits for nobody."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.flow import overfull_partitions, paused_inputs, resumable_inputs
from tests.support.toy_processor import ToyLogic, meeting

LIMIT = 100
CLOCKS = "audio", "video"
A0, V0, A1, V1 = (Input(topic, partition) for partition in (0, 1) for topic in CLOCKS)


def test_the_leading_input_is_paused():
    assert paused_inputs({A0: 101, V0: 3, A1: 100, V1: 0}, CLOCKS, LIMIT) == {A0}
    assert paused_inputs({A0: 101}, CLOCKS, LIMIT) == {A0}


def test_when_both_lead_too_far_both_run():
    held = {A0: 101, V0: 102}
    assert paused_inputs(held, CLOCKS, LIMIT) == set()
    assert resumable_inputs({A0}, held, CLOCKS, LIMIT) == {A0}
    assert overfull_partitions(held, CLOCKS, LIMIT) == 1


def test_a_paused_input_resumes_below_half():
    assert resumable_inputs({A0}, {A0: 50, V0: 0}, CLOCKS, LIMIT) == set()
    assert resumable_inputs({A0}, {A0: 49, V0: 0}, CLOCKS, LIMIT) == {A0}
    assert resumable_inputs({A0}, {}, CLOCKS, LIMIT) == {A0}


def test_an_only_clock_is_never_paused():
    assert paused_inputs({A0: 10_000}, ("audio",), LIMIT) == set()


@given(st.dictionaries(st.sampled_from([A0, V0, A1, V1]), st.integers(0, 300)))
def test_no_partition_stands_still(held):
    paused = paused_inputs(held, CLOCKS, LIMIT)
    assert not {A0, V0} <= paused
    assert not {A1, V1} <= paused
    assert not paused & resumable_inputs(paused, held, CLOCKS, LIMIT)


@pytest.mark.parametrize("seed", range(10))
def test_pausing_never_stops_the_work_however_low_the_limit(seed):
    rng = random.Random(seed)
    topics = {topic: [] for topic in ToyLogic.topics}
    for name in ("a", "b", "c"):
        for topic, records in meeting(rng, name, 20).items():
            topics[topic] += [(name, record) for record in records]
    assignment = Assignment(ToyLogic(), "only", {Input(topic, 0): 0 for topic in topics}, ())
    paused: set[Input] = set()
    while unfed := [s for s, offset in assignment.next.items() if offset < len(topics[s.topic])]:
        feedable = [source for source in unfed if source not in paused]
        assert feedable, f"everything that is left is paused: {paused}"
        source = rng.choice(feedable)
        for _ in range(rng.choice((1, 10, 50))):
            if (offset := assignment.next[source]) < len(topics[source.topic]):
                for window in assignment.feed(source, offset, *topics[source.topic][offset], size_bytes=1):
                    assignment.done(window)
        leading = assignment.leading_bytes()
        paused |= paused_inputs(leading, ToyLogic.clocks, 5)
        paused -= resumable_inputs(paused, leading, ToyLogic.clocks, 5)
