"""Encrypting anew undoes nothing that happens meanwhile."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.control_plane import archive
from api.directory import Directory
from api.errors import ApiError
from api.journal import Journal
from connectors.host.secrets import KeyRing
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec
from schemas.ids import credential_id
from schemas.records import Credential, CredentialKind, Project

OLD, NEW = KeyRing.generate(), KeyRing.generate()
RING = KeyRing([NEW, OLD])


def credential(kind: CredentialKind, secret: str, ring: str = OLD) -> Credential:
    return Credential(
        credential_id=credential_id("proj_1", kind), project_id="proj_1", kind=kind,
        secret_encrypted=KeyRing([ring]).encrypt(secret), created_at_ms=1,
    )  # fmt: skip


def test_what_is_deleted_or_replaced_meanwhile_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    directory = Directory()
    deepgram, openai, storage = CredentialKind.DEEPGRAM, CredentialKind.OPENAI, CredentialKind.EXTERNAL_MEDIA_STORAGE
    kinds = (deepgram, openai, storage)
    directory.apply_project("proj_1", Project(project_id="proj_1", name="Acme", created_at_ms=1))
    for kind in kinds:
        directory.apply_credential(credential_id("proj_1", kind), credential(kind, "before"))
    replaced = credential(openai, "anew", NEW)

    async def catch_up(_topic: object) -> None:
        return

    async def written(_services: object, _topic: object, key: str, record: object) -> None:
        if isinstance(record, Project):  # the first that is written
            directory.apply_credential(credential_id("proj_1", deepgram), None)
            directory.apply_credential(credential_id("proj_1", openai), replaced)
        else:
            directory.apply_credential(key, record)  # type: ignore[arg-type]

    monkeypatch.setattr(archive, "written", written)
    services = SimpleNamespace(directory=directory, key_ring=RING, catch_up=catch_up)
    done = asyncio.run(archive.reencrypted(services))  # type: ignore[arg-type]
    assert (done["projects"], done["credentials"], done["templates"]) == (1, 1, 0)
    assert (directory.credential("proj_1", deepgram), directory.credential("proj_1", openai)) == (None, replaced)
    kept = directory.credential("proj_1", storage)
    assert kept is not None
    assert KeyRing([NEW]).decrypt(kept.secret_encrypted) == "before"


def test_what_fits_into_no_record_is_refused_before_anything_is_written() -> None:
    """It was a 500, with what stood before it in the archive written."""
    journal = Journal(KafkaSettings(), cast(Any, None), Codec.with_ids_from(topics.ALL), 1.0)
    projects = [{"project_id": name, "name": name, "created_at_ms": at} for name, at in (("good", 1), ("bad", 2**63))]
    archive_of_them = {"version": archive.VERSION, "projects": projects} | {
        name: [] for name in ("api_keys", "zoom_apps", "webhook_subscriptions", "templates")
    }
    services = cast(Any, SimpleNamespace(key_ring=RING, journal=journal))
    with pytest.raises(ApiError) as refused:
        asyncio.run(archive.imported(services, archive_of_them))
    assert refused.value.status == 400
    assert refused.value.body == {"non_field_errors": ["bad of projects fits into no record."]}
