import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import ids


@pytest.mark.parametrize(
    ("key", "value"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)]
)
def test_murmur2_is_javas(key, value):
    assert ids.murmur2(key) == value % 2**32


@given(st.text(), st.text())
def test_ids_have_the_known_shape_and_depend_on_every_part(project, stream):
    session = ids.session_id(project, stream)
    assert re.fullmatch(r"app_[A-Za-z0-9]{16}", session)
    assert session == ids.session_id(project, stream)
    assert session != ids.session_id(project, stream + "x")
    assert 0 <= ids.partition_of(session, 64) < 64


def test_parts_are_delimited():
    assert ids.derived("x_", "ab", "c") != ids.derived("x_", "a", "bc")
