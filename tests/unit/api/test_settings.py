"""What an operator sets can be used, or is refused when the API starts."""

import pytest

from api.settings import ApiSettings
from connectors.host.configuration import NotConfigured, read


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> ApiSettings:
    for name, value in given.items():
        monkeypatch.setenv(f"RTMS_API_{name.upper()}", value)
    return read([ApiSettings]).of(ApiSettings)


@pytest.mark.parametrize("url", ["api.example.com", "example.com:8080", "//example.com", "ftp://a", "https://", "/api"])
def test_an_address_that_no_link_can_begin_with_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(NotConfigured, match="RTMS_API_PUBLIC_URL must be an address like https://api.example.com"):
        settings(monkeypatch, public_url=url)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8080", "https://api.example.com/rtms/"])
def test_any_other_is_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert settings(monkeypatch, public_url=url).base_url() == (url.rstrip("/") or "http://127.0.0.1:8080")


@pytest.mark.parametrize("given", ["t0ken", "t0ken\n", " t0ken\r\n"])
def test_an_admin_token_out_of_a_file_opens_what_it_is_to_open(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    assert settings(monkeypatch, admin_token=given).admin_token.get_secret_value() == "t0ken"


@pytest.mark.parametrize("given", ["t0 ken", "t0\nken", "tökên"])
def test_one_that_no_request_can_carry_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    with pytest.raises(NotConfigured, match="RTMS_API_ADMIN_TOKEN must be of visible ASCII") as refused:
        settings(monkeypatch, admin_token=given)
    assert given not in str(refused.value)
