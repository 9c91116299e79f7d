"""Whose certificates a registry's client goes by, and whose answers."""

import ssl

import httpx
import pytest

from connectors.kafka.registry import NotRegistered, RegistryClient, RegistryError

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


def answering(status: int, body: str) -> RegistryClient:
    client = RegistryClient("http://registry:8081")
    client._http = httpx.Client(
        base_url="http://registry", transport=httpx.MockTransport(lambda _request: httpx.Response(status, text=body))
    )
    return client


def test_what_a_registry_does_not_know_it_says_in_its_own_words() -> None:
    with pytest.raises(NotRegistered):
        answering(404, '{"error_code":40403,"message":"Schema 7 not found"}').schema(7)


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("body", ["default backend - 404", "<html>maintenance</html>", "[]", "{}"])
def test_whoever_answers_in_its_place_knows_nothing_of_schemas(status: int, body: str) -> None:
    """A record is a dead letter where there is no such schema; a proxy without a registry behind it cannot say so."""
    with pytest.raises(RegistryError) as refused:
        answering(status, body).schema(7)
    assert not isinstance(refused.value, NotRegistered)
