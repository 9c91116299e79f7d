"""Bodies: JSON in, a clear refusal for everything else."""

import json

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
        *((b"[" * depth + b"]" * depth, "nested too deeply") for depth in (66, 200, *range(900, 1000, 7))),
        (b'{"a":' * 70 + b"1" + b"}" * 70, "nested too deeply"),
    ],
)
def test_what_is_no_json_says_why(data, reason):
    with pytest.raises(ApiError) as caught:
        parsed(data)
    assert caught.value.status == 400
    assert caught.value.body["detail"].startswith("JSON parse error - ")
    assert reason in caught.value.body["detail"]


def test_what_anybody_would_nest_is_read():
    assert parsed(b"[" * 65 + b"]" * 65) == json.loads(b"[" * 65 + b"]" * 65)
    assert parsed(b'{"a": 1, "a": 2}') == {"a": 2}, "of two values the last one counts, as everywhere"


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
