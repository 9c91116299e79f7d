"""States of one session are joined in whatever order they are read."""

import json
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.checkpoint.folds import Fold
from processors.checkpoint.states import Mark, State, join
from processors.checkpoint.windows import Progress

TOPICS = "audio", "video"
OFFSETS = st.integers(0, 50)


def state(offsets: dict[str, int], tracks: dict[str, int], finished: bool) -> State:
    """A state of one imaginary session: what belongs to an offset or a time is the same in all its states."""
    marks = {topic: Mark(at, Fold(epoch=3, watermark_ms=at * 10, part=[at])) for topic, at in offsets.items()}
    return State(marks, {name: Progress(ms, ms - 1, {"cut": ms}) for name, ms in tracks.items()}, finished)


STATES = st.builds(
    state,
    st.fixed_dictionaries(dict.fromkeys(TOPICS, OFFSETS)),
    st.dictionaries(st.sampled_from("abc"), OFFSETS),
    st.booleans(),
)


@given(STATES, STATES, STATES)
def test_join_is_a_least_upper_bound(one, two, three):
    assert join(one, two) == join(two, one)
    assert join(join(one, two), three) == join(one, join(two, three))
    assert join(one, one) == one
    assert join(one, join(one, two)) == join(one, two)


@given(STATES)
def test_a_state_survives_its_text_and_equal_states_have_equal_texts(one):
    text = one.to_json()
    again = State.from_json(text)
    assert again == one
    assert again.to_json() == text == reduce(join, [one, again]).to_json()


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_names_of_all_kinds_survive(name, roster):
    one = State({"audio": Mark(3, Fold(part=roster))}, {name: Progress(1, 1, roster)})
    assert State.from_json(one.to_json()) == one


NO_STATES = [
    "", "{}", "[]", '{"marks":{"a":{}},"progress":{},"finished":false}', '{"marks":[],"progress":{},"finished":false}',
    '{"marks":{"a":{"offset":1,"fold":[]}},"progress":{},"finished":false}', "null",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_STATES)
def test_what_is_no_state_is_refused(text):
    with pytest.raises(ValueError, match="no state|Expecting value"):
        State.from_json(text)


def test_the_text_is_canonical_json():
    one = State({"b": Mark(), "a": Mark()}, {"z": Progress(), "y": Progress()})
    assert list(json.loads(one.to_json())["marks"]) == ["a", "b"]
    assert " " not in one.to_json()


def test_a_session_is_over_when_every_input_has_ended():
    ended, open_ = Mark(1, Fold(ended=True)), Mark(1)
    assert State({"a": ended, "b": ended}).is_over
    assert not State({"a": ended, "b": open_}).is_over
    assert not State().is_over
