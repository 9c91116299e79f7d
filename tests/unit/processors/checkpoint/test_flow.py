"""Which inputs are paused: never all that are waited for, never one that waits for nobody."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.checkpoint.assignments import Assignment, Input, Leads
from processors.checkpoint.flow import overfull_partitions, paused_inputs, resumable_inputs
from processors.checkpoint.folds import FOREVER_MS
from processors.checkpoint.windows import Cut, Progress
from tests.support.toy_processor import CAPTIONS, ToyLogic, Work, meeting

LIMIT = 100
CLOCKS = "audio", "video"
A0, V0, A1, V1 = (Input(topic, partition) for partition in (0, 1) for topic in CLOCKS)
S0 = Input("share", 0)


def leads(*sessions):
    """Of sessions, each given as what is ahead in it and who is waited for."""
    found = Leads(Counter(), Counter())
    for ahead, slowest in sessions:
        found.ahead.update(ahead)
        found.awaiting[slowest] += sum(ahead.values())
    return found


def test_the_leading_input_is_paused():
    assert paused_inputs(leads(({A0: 101}, V0), ({V0: 3}, A0), ({A1: 100}, V1)), LIMIT) == {A0}
    assert paused_inputs(leads(({A0: 101, V0: 102}, S0)), LIMIT) == {A0, V0}


def test_of_two_that_wait_for_each_other_one_runs():
    opposite = leads(({A0: 101}, V0), ({V0: 102}, A0))
    assert paused_inputs(opposite, LIMIT) == {V0}
    assert resumable_inputs({A0, V0}, opposite, LIMIT) == {A0}
    assert overfull_partitions(opposite.ahead, CLOCKS, LIMIT) == 1


def test_a_third_that_has_said_all_is_no_reason_to_pause_both_of_them():
    """A screen that nobody shares has nothing but ticks, and leads by nothing for ever."""
    opposite = leads(({A0: 300}, V0), ({V0: 300}, A0))
    assert paused_inputs(opposite, LIMIT) == set()
    assert resumable_inputs({A0, V0}, opposite, LIMIT) == {A0, V0}


def test_three_that_lead_by_more_than_half_of_the_limit_do_not_wait_for_each_other_for_good():
    stuck = leads(({A0: 60, V0: 99}, S0), ({S0: 110}, A0))
    assert resumable_inputs({A0, V0, S0}, stuck, LIMIT) == {A0, S0}


def test_a_paused_input_resumes_below_half():
    assert resumable_inputs({A0}, leads(({A0: 50}, V0)), LIMIT) == set()
    assert resumable_inputs({A0}, leads(({A0: 49}, V0)), LIMIT) == {A0}
    assert resumable_inputs({A0}, leads(), LIMIT) == {A0}


INPUTS = st.sampled_from([A0, V0, S0])
SESSIONS = st.lists(
    st.tuples(st.dictionaries(INPUTS, st.integers(1, 300)), INPUTS).map(
        lambda one: ({source: size for source, size in one[0].items() if source != one[1]}, one[1])
    ),
    max_size=6,
)


@given(SESSIONS, st.sets(INPUTS))
def test_no_partition_stands_still(sessions, paused):
    """Somebody who is waited for runs, whatever was paused before and whatever leads."""
    now = leads(*sessions)
    paused |= paused_inputs(now, LIMIT)
    paused -= resumable_inputs(paused, now, LIMIT)
    waited_for = {slowest for ahead, slowest in sessions if ahead}
    assert not waited_for or waited_for - paused
    assert not paused_inputs(now, LIMIT) & resumable_inputs(paused_inputs(now, LIMIT), now, LIMIT)


class ThreeClocks(ToyLogic):
    """Captions are waited for, too."""

    clocks = ToyLogic.clocks | {CAPTIONS: ToyLogic.clocks["rtms.audio"]}

    def track(self, topic, part, record):
        return "said" if topic == CAPTIONS else super().track(topic, part, record)

    def cut(self, track, watermark_ms):
        if track.name != "said":
            return super().cut(track, watermark_ms)
        first_ms = track.entries[0].record.timestamp_ms if track.entries else FOREVER_MS
        if first_ms >= watermark_ms:
            return min(watermark_ms, FOREVER_MS) + 1
        return Cut(Progress(first_ms + 1, first_ms + 1, None), Work(f"said-{first_ms}", ()))


@pytest.mark.parametrize("logic", [ToyLogic(), ThreeClocks()], ids=["two clocks", "three"])
@pytest.mark.parametrize("seed", range(10))
def test_pausing_never_stops_the_work_however_low_the_limit(logic, seed):
    rng = random.Random(seed)
    topics = {topic: [] for topic in ToyLogic.topics}
    for name in ("a", "b", "c"):
        for topic, records in meeting(rng, name, 20).items():
            topics[topic] += [(name, record) for record in records]
    assignment = Assignment(logic, "only", {Input(topic, 0): 0 for topic in topics}, ())
    paused: set[Input] = set()
    while unfed := [s for s, offset in assignment.next.items() if offset < len(topics[s.topic])]:
        feedable = [source for source in unfed if source not in paused]
        assert feedable, f"everything that is left is paused: {paused}"
        source = rng.choice(feedable)
        for _ in range(rng.choice((1, 10, 50))):
            if (offset := assignment.next[source]) < len(topics[source.topic]):
                for window in assignment.feed(source, offset, *topics[source.topic][offset], size_bytes=1):
                    assignment.done(window)
        now = assignment.leads()
        paused |= paused_inputs(now, 5)
        paused -= resumable_inputs(paused, now, 5)
