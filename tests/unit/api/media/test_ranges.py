"""Range headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.media.ranges import Part, part_of

WHOLE = Part(0, 100, whole=True)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, WHOLE),
        ("bytes=0-", Part(0, 100)),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=10-19", Part(10, 20)),
        ("bytes=10-999", Part(10, 100)),
        ("bytes=-10", Part(90, 100)),
        ("bytes=-999", Part(0, 100)),
        ("Bytes= 5-6 ", Part(5, 7)),
        ("bytes=100-", None),
        ("bytes=999-1000", None),
        ("bytes=-0", None),
        ("bytes=9-5", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=0-1,5-6", WHOLE),
        ("items=0-1", WHOLE),
        ("nonsense", WHOLE),
        ("bytes=" + "9" * 50 + "-", WHOLE),
    ],
)
def test_parts(header, part):
    assert part_of(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5"])
def test_an_empty_object_has_no_parts(header):
    assert part_of(header, 0) is None
    assert part_of(None, 0) == Part(0, 0, whole=True)


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d{0,5}-\d{0,5}", fullmatch=True), st.integers(0, 1000))
def test_a_part_is_always_inside(header, size):
    part = part_of(header, size)
    assert part is None or 0 <= part.start <= part.end <= size
