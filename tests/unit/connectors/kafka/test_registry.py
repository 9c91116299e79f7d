"""Whose certificates a registry's client goes by."""

import ssl

import pytest

from connectors.kafka.registry import RegistryClient

Asked = list[str | None]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The files of authorities that were read, None for the machine's own."""
    asked: Asked = []
    make = ssl.create_default_context

    def made(*purpose: ssl.Purpose, cafile: str | None = None, **more: str) -> ssl.SSLContext:
        asked.append(cafile)
        return make(*purpose)

    monkeypatch.setattr(ssl, "create_default_context", made)
    return asked


def test_without_tls_no_authority_is_read(asked: Asked) -> None:
    RegistryClient("http://registry:8081", ca_location="/ca.pem").close()
    assert asked == []


@pytest.mark.parametrize("url", ["https://registry:8081", "HTTPS://registry:8081"])
def test_with_tls_the_authority_that_was_named_counts(asked: Asked, url: str) -> None:
    RegistryClient(url, ca_location="/ca.pem").close()
    assert asked == ["/ca.pem"]


def test_with_tls_and_no_authority_named_those_count_that_httpx_trusts(asked: Asked) -> None:
    RegistryClient("https://registry:8081").close()
    assert len(asked) == 1
