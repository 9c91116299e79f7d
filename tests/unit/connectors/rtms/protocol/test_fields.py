"""Tolerant in form, strict in meaning."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol import fields

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0), (16778240, 16778240), ("16778240", 16778240), ("-1", -1), (3.0, 3), (2**63 - 1, 2**63 - 1),
        (2**63, None), (True, None), (None, None), ("", None), ("1.5", None), (1.5, None), ("--1", None), ("-", None),
        (" 1", None), ("٣", None), ("9" * 20, None), (float("nan"), None), (float("inf"), None), (1e300, None),
        ([], None), ({}, None), (b"1", None),
    ],
)  # fmt: skip
def test_integer(value: Any, expected: int | None) -> None:
    assert fields.integer(value) == expected


@pytest.mark.parametrize("value", [0, -(2**31), 2**31 - 1, "7"])
def test_codes_fit_into_what_every_reader_of_avro_takes(value: Any) -> None:
    assert fields.code(value) == int(value)
    assert fields.code(2**31) is fields.code(-(2**31) - 1) is fields.code(2**62) is fields.code("x") is None


def test_text() -> None:
    assert fields.text("Ada") == "Ada"
    assert fields.text("") == ""
    assert fields.text(42) == "42"
    assert fields.text(None) is None
    assert fields.text(["Ada"]) is None


def test_names_end_where_nobodys_goes_on() -> None:
    assert (fields.person_name("Ada"), fields.person_name(7), fields.person_name(None)) == ("Ada", "7", None)
    assert fields.person_name("Ö" * 1_000_000) == "Ö" * fields.LONGEST_NAME


def test_objects_and_lists() -> None:
    assert fields.mapping({"a": 1}) == {"a": 1}
    assert fields.mapping([1]) == {}
    assert fields.mappings([{"a": 1}, 2, {"b": 3}]) == [{"a": 1}, {"b": 3}]
    assert fields.mappings({"a": 1}) == [{"a": 1}]
    assert fields.mappings("x") == []
    assert fields.first({"a": None, "b": 0, "c": 1}, "a", "b", "c") == 0
    assert fields.first({}, "a") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_700_000_001, 1_700_000_001_000), (1_700_000_001_234, 1_700_000_001_234),
        (1_700_000_001_234_567, 1_700_000_001_234), ("1700000001234", 1_700_000_001_234), (0, None), (-5, None),
        (None, None), ("soon", None),
    ],
)  # fmt: skip
def test_milliseconds_whatever_the_unit(value: Any, expected: int | None) -> None:
    assert fields.milliseconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("wss://a", ("wss://a",)),
        (" wss://a , wss://b,", ("wss://a", "wss://b")),
        (["wss://a", 1, "wss://b,wss://a"], ("wss://a", "wss://b")),
        ({"video": "wss://v", "all": "wss://a"}, ("wss://a", "wss://v")),
        ({"video": "wss://v"}, ("wss://v",)),
        ({"all": {"deep": "wss://a"}}, ()),
        (None, ()), (5, ()), ("", ()),
    ],
)  # fmt: skip
def test_urls_in_every_shape(value: Any, expected: tuple[str, ...]) -> None:
    assert fields.urls(value) == expected


@given(ANYTHING)
def test_no_reader_ever_raises(value: Any) -> None:
    for reader in (
        fields.integer, fields.text, fields.mapping, fields.mappings, fields.milliseconds, fields.urls,
    ):  # fmt: skip
        reader(value)
