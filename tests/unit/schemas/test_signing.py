"""The signature, verified as clients in other languages do."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.signing import canonical, signature, signature_headers

SECRET = base64.b64encode(bytes(range(32))).decode()
OLD = base64.b64encode(bytes(32)).decode()

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]))
    | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def as_clients_do(secret, raw):
    """Parse, sort, write without blanks and unescaped, HMAC, base64: what the App Session API tells its clients."""
    text = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hmac.new(base64.b64decode(secret), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def test_the_body_is_sorted_without_blanks_and_unescaped():
    assert canonical({"b": "ü", "a": {"d": 1, "c": None}}) == '{"a":{"c":null,"d":1},"b":"ü"}'


def test_over_the_raw_body_and_over_what_a_client_writes_it_is_the_same():
    body = canonical({"b": "ü", "a": [1, {"d": 2.0, "c": 0.5}]})
    raw = hmac.new(base64.b64decode(SECRET), body.encode(), hashlib.sha256).digest()
    assert signature(SECRET, body) == base64.b64encode(raw).decode() == as_clients_do(SECRET, body)


@pytest.mark.parametrize(
    ("given_value", "written"),
    [(1.0, "1"), (-3.0, "-3"), (0.5, '"0.5"'), (1e300, str(int(1e300))), (float("nan"), '"nan"'),
     (float("inf"), '"inf"')],
)  # fmt: skip
def test_no_number_but_an_integer_is_ever_signed(given_value, written):
    assert canonical({"a": given_value}) == f'{{"a":{written}}}'


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_any_envelope_is_written_once_and_for_all(envelope):
    body = canonical(envelope)

    def no_float(text):
        raise AssertionError(f"a float: {text}")

    assert canonical(json.loads(body, parse_float=no_float)) == body


def test_two_secrets_sign_side_by_side():
    headers = signature_headers([SECRET, OLD], "id", 5, "{}")
    assert headers["X-Webhook-Signature"] == signature(SECRET, "{}")
    assert headers["X-Webhook-Signature-Previous"] == signature(OLD, "{}")
    standard = [
        "v1," + base64.b64encode(hmac.new(base64.b64decode(s), b"id.5.{}", hashlib.sha256).digest()).decode()
        for s in (SECRET, OLD)
    ]
    assert headers["webhook-signature"].split(" ") == standard
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("id", "5")
    assert "X-Webhook-Signature" not in signature_headers([], "id", 5, "{}")
