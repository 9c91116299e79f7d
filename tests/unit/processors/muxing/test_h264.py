"""H.264 is looked at as deep as needed, and rubbish is never more than no picture."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.muxing.h264 import (
    MAX_NAL_UNITS,
    START_CODE,
    Nal,
    Size,
    access_unit,
    kind,
    length_prefixed,
    nal_units,
    sequence,
)
from tests.support.media import START_MS, Shot, encoded


def units(**changes: int) -> list[bytes]:
    return [data for _, _, data in encoded(Shot(START_MS, START_MS + 800, **changes))]


def test_nal_units_are_cut_at_start_codes_of_either_length() -> None:
    assert list(nal_units(b"\0\0\0\1\x67ab\0\0\1\x68c\0\0\0\0\1\x65d")) == [b"\x67ab", b"\x68c", b"\x65d"]


def test_what_precedes_the_first_start_code_is_left_out() -> None:
    assert list(nal_units(b"rubbish\0\0\1\x41x")) == [b"\x41x"]
    assert list(nal_units(b"rubbish")) == []


def test_a_key_frame_is_known_with_its_parameter_sets() -> None:
    first, second = units()[:2]
    assert access_unit(first).is_idr
    assert {kind(nal) for nal in access_unit(first).parameters} == {Nal.SPS, Nal.PPS}
    assert access_unit(second).has_picture
    assert not access_unit(second).is_idr


def test_bidirectional_pictures_are_known() -> None:
    assert not any(access_unit(data).is_bidirectional for data in units())
    assert any(access_unit(data).is_bidirectional for data in units(b_pictures=2))


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (1280, 720), (200, 100)])
def test_the_size_stands_in_the_sequence_parameter_set(size: tuple[int, int]) -> None:
    (first, *_) = units(width=size[0], height=size[1])
    assert sequence(access_unit(first).parameters[0]).size == Size(*size)


@pytest.mark.parametrize("unit", [b"", b"\x0c", b"\x41\x9a"])
def test_a_message_of_thousands_of_units_is_no_picture(unit: bytes) -> None:
    """Whatever they are: two million empty ones took a second, each time that the picture was looked at."""
    picture = units()[0]
    assert access_unit((START_CODE + unit) * 1000 + picture).has_picture
    assert not access_unit((START_CODE + unit) * (MAX_NAL_UNITS + 1) + picture).has_picture


def test_delimiters_and_filler_do_not_belong_into_a_file() -> None:
    unit = access_unit(b"\0\0\1\x09\xf0\0\0\1\x41\x9a\0\0\1\x0c\xff\xff\x80")
    assert [kind(nal) for nal in unit.nals] == [Nal.SLICE]
    assert length_prefixed(unit.nals) == b"\0\0\0\2\x41\x9a"


@given(st.binary(max_size=300))
def test_rubbish_is_no_error(data: bytes) -> None:
    access_unit(b"\0\0\1" + data)


@given(st.binary(min_size=1, max_size=60))
def test_a_broken_parameter_set_is_a_value_error(data: bytes) -> None:
    try:
        size = sequence(b"\x67" + data).size
    except ValueError:
        return
    assert size.width > 0
    assert size.height > 0
