"""Bits are read as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.muxing.bits import BitReader, BitWriter, escaped, unescaped

NUMBERS = st.lists(st.integers(min_value=0, max_value=2**20), max_size=40)


@given(NUMBERS)
def test_numbers_come_back(numbers: list[int]) -> None:
    writer = BitWriter()
    for number in numbers:
        writer.unsigned(number).bits(number, 21)
    reader = BitReader(writer.payload())
    assert [(reader.unsigned(), reader.bits(21)) for _ in numbers] == [(number, number) for number in numbers]


def test_signed_numbers_alternate() -> None:
    writer = BitWriter()
    for code in range(5):
        writer.unsigned(code)
    reader = BitReader(writer.payload())
    assert [reader.signed() for _ in range(5)] == [0, 1, -1, 2, -2]


@given(st.binary(max_size=200).map(lambda data: data.replace(b"\x55", b"\0")))
def test_escaped_data_holds_no_start_code_and_comes_back(data: bytes) -> None:
    safe = escaped(data)
    assert all(code not in safe for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    assert unescaped(safe) == data


def test_reading_past_the_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="ends early"):
        BitReader(b"\0").unsigned()
