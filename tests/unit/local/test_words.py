"""Word error rate against cases counted by hand, and its laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.words import word_error_rate, word_errors, words

TEXT = st.lists(st.sampled_from(["no", "yes", "may", "be"]), max_size=8).map(" ".join)


def test_case_punctuation_and_apostrophes_do_not_count() -> None:
    assert words("It's fine -- isn\u2019t IT?") == ["it's", "fine", "isn't", "it"]
    assert word_error_rate("We're all going.", "we\u2019re ALL going") == 0


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("the spring of hope", "the string of hope", 1),
        ("the spring of hope", "spring of hope", 1),
        ("the spring of hope", "it was the spring of hope", 2),
        ("we were all", "we're all", 2),
        ("a b c d", "", 4),
    ],
)
def test_counts_changed_dropped_and_added_words(said: str, heard: str, errors: int) -> None:
    assert word_errors(said, heard).errors == errors
    assert word_error_rate(said, heard) == errors / len(words(said))


def test_nothing_said() -> None:
    assert word_error_rate("", "") == 0
    assert word_error_rate("", "hello there") == 1


@given(TEXT, TEXT, TEXT)
def test_is_a_distance(left: str, middle: str, right: str) -> None:
    def distance(one: str, other: str) -> int:
        return word_errors(one, other).errors

    assert distance(left, left) == 0
    assert distance(left, right) == distance(right, left)
    assert distance(left, right) <= distance(left, middle) + distance(middle, right)
