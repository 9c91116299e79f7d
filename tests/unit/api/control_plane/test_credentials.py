"""A project's own credentials: what is taken, and that no secret is given back."""

from typing import Any

import pytest

from api.control_plane.credentials import credential, credential_document, kind_of
from api.errors import ApiError
from connectors.webhooks.targets import PUBLIC, TargetPolicy
from schemas.credentials import storage_access
from schemas.records import Credential, CredentialKind

STORAGE = CredentialKind.EXTERNAL_MEDIA_STORAGE
KEYS = {"access_key_id": "AKIA1", "access_key_secret": "s3cret"}


def errors(kind: CredentialKind, body: Any) -> dict[str, Any]:
    with pytest.raises(ApiError) as caught:
        credential(kind, body, PUBLIC)
    assert caught.value.status == 400
    found: dict[str, Any] = caught.value.body
    return found


@pytest.mark.parametrize("kind", [CredentialKind.DEEPGRAM, CredentialKind.OPENAI])
def test_a_key_is_one_text_and_nothing_else(kind: CredentialKind) -> None:
    assert credential(kind, {"api_key": " sk-1\n"}, PUBLIC).secret == "sk-1"
    for bad in ("", " ", "a b", "a\nb", "é", "x" * 513, 5, None):
        found = errors(kind, {"api_key": bad})
        assert found.keys() == {"api_key"}, bad
        assert "xxx" not in str(found), "no answer repeats a key"
    assert errors(kind, {}).keys() == {"api_key"}
    assert errors(kind, {"api_key": "k", "base_url": "https://mine"}).keys() == {"non_field_errors"}


def test_a_storage_says_where_it_is() -> None:
    assert errors(STORAGE, KEYS).keys() == {"region_name"}
    assert errors(STORAGE, {"region_name": "eu-central-1"}).keys() == set(KEYS)
    for bad in ("eu central", "a.b", "", "https://x"):
        assert errors(STORAGE, KEYS | {"region_name": bad}).keys() == {"region_name"}, bad
    given = credential(STORAGE, KEYS | {"endpoint_url": "https://s3.example.com/"}, PUBLIC)
    assert given.secret == "s3cret"
    assert "s3cret" not in given.details + repr(given)


@pytest.mark.parametrize(
    "url",
    ["http://s3.example.com", "ftp://a", "https://", "https://user:word@s3.example.com", "s3.example.com",
     "https://s3.example.com/path", "https://s3.example.com?x=1", "https://s3.example.com/#x", "https://a b", "file:///etc"],
)  # fmt: skip
def test_a_storage_is_on_the_public_internet(url: str) -> None:
    assert errors(STORAGE, KEYS | {"endpoint_url": url}).keys() == {"endpoint_url"}


def test_the_switch_for_one_machine_opens_plain_http() -> None:
    given = credential(STORAGE, KEYS | {"endpoint_url": "http://127.0.0.1:9000"}, TargetPolicy(allow_loopback=True))
    assert '"http://127.0.0.1:9000"' in given.details


def test_a_credential_as_it_is_answered() -> None:
    given = credential(STORAGE, KEYS | {"region_name": "eu-central-1"}, PUBLIC)
    known = Credential(
        credential_id="cred_1", project_id="p", kind=STORAGE, secret_encrypted="e", details=given.details,
        created_at_ms=1,
    )  # fmt: skip
    assert credential_document(known) == {
        "type": "external_media_storage", "access_key_id": "AKIA1", "endpoint_url": None,
        "region_name": "eu-central-1", "created_at": "1970-01-01T00:00:00.001000Z",
    }  # fmt: skip
    access = storage_access(known, "s3cret")
    assert (access.access_key_secret, "s3cret" in repr(access)) == ("s3cret", False)


def test_only_known_types_are_named() -> None:
    assert kind_of("openai") is CredentialKind.OPENAI
    assert [kind_of(name) for name in ("unknown", "OPENAI", "x", "")] == [None] * 4
