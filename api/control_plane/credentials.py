"""A project's own credentials for services: what the operator sends, and how it is answered. Pure.

There are no addresses of speech services: whom a name stands for is the operator's to say. That of a storage is judged
as a webhook's receiver is, here and again when it is connected to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired
from urllib.parse import urlsplit

from typing_extensions import TypedDict

from api.errors import invalid_fields
from api.shapes import Check, Invalid, fields_of, secret_up_to, text_up_to
from connectors.webhooks.targets import TargetPolicy
from schemas.credentials import StorageAccess, storage_access, storage_details
from schemas.records import Credential, CredentialKind
from schemas.times import iso_utc

MAX_CHARACTERS = 512

KINDS = tuple(kind for kind in CredentialKind if kind is not CredentialKind.UNKNOWN)

_TEXT = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}
_KEY: dict[str, Any] = {
    "type": "object",
    "title": "deepgram, openai",
    "properties": {"api_key": _TEXT},
    "required": ["api_key"],
    "additionalProperties": False,
}
_STORAGE: dict[str, Any] = {
    "type": "object",
    "title": "external_media_storage",
    "properties": {
        "access_key_id": _TEXT,
        "access_key_secret": _TEXT,
        "endpoint_url": {"description": "of an S3 storage that is not Amazon's: https://host", **_TEXT},
        "region_name": {"description": "the bucket's; needed at Amazon", **_TEXT},
    },
    "required": ["access_key_id", "access_key_secret"],
    "additionalProperties": False,
}
SCHEMA = {"oneOf": [_KEY, _STORAGE]}
"""Of a credential's body, by its type."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be kept: `secret` encrypted, `details` as it is."""

    secret: str = field(repr=False)
    details: str = "{}"


class CredentialDocument(TypedDict):
    """A project's own credential. Secrets are never shown; the other fields are a storage's alone."""

    type: str
    access_key_id: NotRequired[str]
    endpoint_url: NotRequired[str | None]
    region_name: NotRequired[str | None]
    created_at: str


class CredentialList(TypedDict):
    """A project's own credentials, one of a type."""

    results: list[CredentialDocument]


def kind_of(name: str) -> CredentialKind | None:
    """The kind that a path names."""
    return next((kind for kind in KINDS if kind == name), None)


def credential(kind: CredentialKind, body: Any, targets: TargetPolicy) -> Given:
    """What a body gives for a credential of this kind; `targets` says where a storage may be. Raises ApiError 400."""
    if kind is CredentialKind.EXTERNAL_MEDIA_STORAGE:
        return _storage(body, targets)
    return Given(fields_of(body, {"api_key": _key}, required=["api_key"])["api_key"])


def credential_document(known: Credential) -> CredentialDocument:
    """A credential as it is answered."""
    document: CredentialDocument = {"type": known.kind, "created_at": iso_utc(known.created_at_ms)}
    if known.kind is CredentialKind.EXTERNAL_MEDIA_STORAGE:
        access = storage_access(known)
        document["access_key_id"] = access.access_key_id
        document["endpoint_url"], document["region_name"] = access.endpoint_url, access.region_name
    return document


def _storage(body: Any, targets: TargetPolicy) -> Given:
    checks: Mapping[str, Check] = {
        "access_key_id": _key,
        "access_key_secret": _key,
        "endpoint_url": _endpoint_at(targets),
        "region_name": _region,
    }
    values = fields_of(body, checks, required=["access_key_id", "access_key_secret"])
    if not {"endpoint_url", "region_name"} & values.keys():
        raise invalid_fields({"region_name": ["Say where it is: this for Amazon's, endpoint_url for any other."]})
    access = StorageAccess(**values)
    return Given(access.access_key_secret, storage_details(access))


_text = text_up_to(MAX_CHARACTERS)
_key = secret_up_to(MAX_CHARACTERS)


def _region(value: Any) -> str:
    name = _text(value)
    if not (name.isascii() and name.replace("-", "").isalnum()):
        raise Invalid("This is no region's name, e.g. eu-central-1")
    return name


def _endpoint_at(targets: TargetPolicy) -> Callable[[Any], str]:
    def endpoint(value: Any) -> str:
        url = _text(value)
        if not targets.permits_url(url):
            raise Invalid("The endpoint must be the https:// address of a storage on the public internet.")
        parts = urlsplit(url)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise Invalid("The endpoint must be https://host or https://host:port, without anything behind it.")
        return f"{parts.scheme}://{parts.netloc}"

    return endpoint
