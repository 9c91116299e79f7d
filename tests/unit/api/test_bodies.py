"""Bodies: JSON in, a clear refusal for everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.bodies import parsed, refusal
from api.errors import ApiError


def test_an_empty_body_is_an_empty_object():
    assert parsed(b"") == {}
    assert parsed(b" \n") == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "Expecting property name"),
        (b"\xff\xfe", "codec can't decode"),
        (b'{"a": NaN}', "Out of range float"),
        (b'{"a": -Infinity}', "Out of range float"),
        (b'{"a": 1e999}', "Out of range float"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"1" * 10_000, "Exceeds the limit"),
    ],
)
def test_what_is_no_json_says_why(data, reason):
    with pytest.raises(ApiError) as caught:
        parsed(data)
    assert caught.value.status == 400
    assert caught.value.body["detail"].startswith("JSON parse error - ")
    assert reason in caught.value.body["detail"]


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(data):
    try:
        parsed(data)
    except ApiError as error:
        assert error.status == 400  # noqa: PT017


@pytest.mark.parametrize("given", [None, "application/json", "application/JSON; charset=utf-8"])
def test_json_is_read(given):
    assert refusal(given, has_body=True) is None


def test_other_types_are_not_read_unless_there_is_nothing_to_read():
    error = refusal("text/plain", has_body=True)
    assert error.status == 415
    assert error.body == {"detail": 'Unsupported media type "text/plain" in request.'}
    assert refusal("text/plain", has_body=False) is None
