"""A link is good for one object until one moment, and nothing else can be made of it."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.objects.signing import Verdict, signature_of, signed_url, verify

KEY = b"a key of the deployment"


def test_a_link_is_good_until_its_moment() -> None:
    url = signed_url("http://127.0.0.1:8000/objects/", KEY, "app_1/recording.mp4", 1_000)
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert parts.path == "/objects/app_1/recording.mp4"
    assert verify(KEY, "app_1/recording.mp4", query["expires"], query["signature"], 999.9) is Verdict.GOOD
    assert verify(KEY, "app_1/recording.mp4", query["expires"], query["signature"], 1_000) is Verdict.EXPIRED


@given(st.text(min_size=1), st.text(min_size=1), st.integers(0, 10**11), st.integers(0, 10**11))
def test_no_other_object_moment_or_key_shares_a_signature(one: str, two: str, now: int, later: int) -> None:
    one, two = (text.encode("utf-8", "replace").decode() for text in (one, two))
    signature = signature_of(KEY, one, now)
    assert verify(KEY, one, str(now), signature, now - 1) is Verdict.GOOD
    if two != one:
        assert verify(KEY, two, str(now), signature, 0) is Verdict.FORGED
    if later != now:
        assert verify(KEY, one, str(later), signature, 0) is Verdict.FORGED
    assert verify(b"another key", one, str(now), signature, 0) is Verdict.FORGED


@pytest.mark.parametrize("expires", ["", "-1", "1.5", "1e9", "٣", "9" * 400, "0x10", " 5"])
def test_malformed_expiries_are_forged(expires: str) -> None:
    assert verify(KEY, "a", expires, signature_of(KEY, "a", 5), 0) is Verdict.FORGED


@given(st.text())
def test_any_text_as_signature_is_forged_and_never_raises(signature: str) -> None:
    assert verify(KEY, "a", "5", signature, 0) is Verdict.FORGED


def test_links_carry_keys_escaped() -> None:
    url = signed_url("http://h/o", KEY, "a b?c", 5)
    assert " " not in url
    assert unquote(urlsplit(url).path) == "/o/a b?c"
