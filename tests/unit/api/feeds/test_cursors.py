"""Ids of events: what is given out is understood, and nothing else."""

import pytest

from api.errors import ApiError
from api.feeds.cursors import NEW, Cursor, parsed


@pytest.mark.parametrize("cursor", [Cursor(0, 0), Cursor(63, 10**15), Cursor(3, 7, is_end=True)])
def test_what_is_given_out_is_understood(cursor):
    assert parsed(str(cursor), cursor.partition) == cursor


@pytest.mark.parametrize("text", [None, ""])
def test_who_has_nothing_begins_with_the_first(text):
    assert parsed(text, 3) == Cursor(3, NEW)


@pytest.mark.parametrize("text", ["3", "3-", "-1", "3--1", "4-1", "3-1-", "3-1-END", "3-1 ", " 3-1", "3-1\n", "3-٣",
                                  "3-" + "9" * 19, "3-1-end-end"])  # fmt: skip
def test_nothing_else_is(text):
    with pytest.raises(ApiError) as refused:
        parsed(text, 3)
    assert refused.value.status == 400
