"""Authorization headers."""

import pytest

from api.credentials import check_admin, digest, presented
from api.errors import ApiError


@pytest.mark.parametrize("header", ["Token abc", "token abc", "TOKEN  abc "])
def test_the_scheme_is_case_insensitive(header):
    assert presented(header) == "abc"


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("", "Authentication credentials were not provided."),
        ("Bearer abc", "Authentication credentials were not provided."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
    ],
)
def test_a_bad_header_says_what_is_wrong(header, detail):
    with pytest.raises(ApiError) as caught:
        presented(header)
    assert caught.value.status == 401
    assert caught.value.body == {"detail": detail}
    assert caught.value.headers == {"WWW-Authenticate": "Token"}


def test_the_admin_token_opens():
    check_admin("secret", "secret")


@pytest.mark.parametrize(("token", "expected"), [("other", "secret"), ("", ""), ("x", ""), ("é", "secret")])
def test_a_wrong_or_unset_admin_token_does_not(token, expected):
    with pytest.raises(ApiError, match="401"):
        check_admin(token, expected)


def test_only_the_digest_of_a_key_is_kept():
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
