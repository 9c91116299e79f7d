"""Times in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.times import unix_ms
from schemas.times import iso_utc


def test_answers_have_microseconds_and_z():
    assert iso_utc(1_700_000_000_123) == "2023-11-14T22:13:20.123000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-14T22:13:20.123Z",
        "2023-11-14T22:13:20.123000+00:00",
        "2023-11-14T22:13:20.123 00:00",
        "2023-11-14T23:13:20.123+01:00",
        "2023-11-14T23:13:20.123 0100",
        "2023-11-14T22:13:20.123",
        "2023-11-14 22:13:20.123",
    ],
)
def test_queries_take_any_iso_8601(text):
    assert unix_ms(text) == 1_700_000_000_123


@given(st.integers(0, 4_000_000_000_000))
def test_what_goes_out_comes_back(moment):
    assert unix_ms(iso_utc(moment)) == moment


@given(st.text(max_size=40))
def test_anything_else_is_a_value_error(text):
    try:
        unix_ms(text)
    except ValueError:
        pass


@pytest.mark.parametrize("text", ["", "now", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\x00"])
def test_odd_ones_do_not_crash(text):
    try:
        unix_ms(text)
    except ValueError:
        pass
