"""Which inputs are paused: never both of a partition, never one that waits for nobody."""

from hypothesis import given
from hypothesis import strategies as st

from processors.checkpoint.assignments import Input
from processors.checkpoint.flow import overfull_partitions, paused_inputs, resumable_inputs

LIMIT = 100
CLOCKS = "audio", "video"
A0, V0, A1, V1 = (Input(topic, partition) for partition in (0, 1) for topic in CLOCKS)


def test_the_leading_input_is_paused():
    assert paused_inputs({A0: 101, V0: 3, A1: 100, V1: 0}, CLOCKS, LIMIT) == {A0}
    assert paused_inputs({A0: 101}, CLOCKS, LIMIT) == {A0}


def test_when_both_hold_too_much_both_run():
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
