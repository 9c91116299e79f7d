"""The whole control plane as one document: to keep, to move to another installation, to encrypt anew.

Secrets are in it as they lie in the log, encrypted with the key ring: who imports it needs the ring's keys. API keys
are in it as hashes, so those that were given out go on working.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec

from api.directory import Directory
from api.errors import invalid_fields
from api.journal import Journal
from api.services import Services
from api.writing import written
from connectors.host.secrets import KeyRing, SecretsError
from schemas import topics
from schemas.credentials import storage_access
from schemas.learned import learned
from schemas.records import ApiKey, Credential, CredentialKind, Project, Record, Template, WebhookSubscription, ZoomApp

VERSION = 1


@learned
class Archive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything, in the order in which it is written back. Archives of before there were `credentials` have none."""

    version: int
    projects: list[Project]
    api_keys: list[ApiKey]
    zoom_apps: list[ZoomApp]
    webhook_subscriptions: list[WebhookSubscription]
    templates: list[Template]
    credentials: list[Credential] = []


async def exported(services: Services) -> dict[str, Any]:
    """The archive as JSON. Raises ApiError 503."""
    archive: dict[str, Any] = msgspec.to_builtins(await _read(services))
    return archive


async def imported(services: Services, body: Any) -> dict[str, int]:
    """Write everything in an archive, over what has the same ids; how many of each. Raises ApiError 400 and 503."""
    try:
        archive = msgspec.convert(body, Archive)
    except msgspec.ValidationError as error:
        raise invalid_fields({"non_field_errors": [f"This is no archive: {error}"]}) from None
    if archive.version != VERSION:
        raise invalid_fields({"version": [f"Only version {VERSION} can be read."]})
    _check_secrets(services.key_ring, archive)
    _check_records(services.journal, archive)
    return await _write(services, archive)


async def reencrypted(services: Services) -> dict[str, int]:
    """Encrypt every secret with the newest key of the ring, so that older ones can be dropped. Raises ApiError 503.

    What is deleted or replaced meanwhile is left: what came in its place was encrypted with the newest key.
    """
    archive, ring = await _read(services), services.key_ring
    try:
        anew = Archive(
            version=VERSION,
            projects=[
                replace(p, webhook_secrets_encrypted=_anew(ring, p.webhook_secrets_encrypted)) for p in archive.projects
            ],
            api_keys=[],
            zoom_apps=[_zoom_app_anew(ring, app) for app in archive.zoom_apps],
            webhook_subscriptions=[
                replace(s, secrets_encrypted=_anew(ring, s.secrets_encrypted)) for s in archive.webhook_subscriptions
            ],
            templates=[],
            credentials=[_credential_anew(ring, entry) for entry in archive.credentials],
        )
    except SecretsError as error:
        raise invalid_fields({"non_field_errors": [f"The key ring lacks a key: {error}"]}) from None
    return await _write(services, anew, instead_of=archive)


def _anew(ring: KeyRing, secrets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(ring.encrypt(ring.decrypt(secret)) for secret in secrets)


def _zoom_app_anew(ring: KeyRing, app: ZoomApp) -> ZoomApp:
    [client_secret] = _anew(ring, (app.client_secret_encrypted,))
    webhook_secret = app.webhook_secret_encrypted
    return replace(
        app,
        client_secret_encrypted=client_secret,
        webhook_secret_encrypted=None if webhook_secret is None else _anew(ring, (webhook_secret,))[0],
    )


def _credential_anew(ring: KeyRing, credential: Credential) -> Credential:
    [secret] = _anew(ring, (credential.secret_encrypted,))
    return replace(credential, secret_encrypted=secret)


def _check_secrets(ring: KeyRing, archive: Archive) -> None:
    """Raises ApiError 400 where a secret could never be used here."""
    for credential in archive.credentials:
        _check_details(credential)
    try:
        for app in archive.zoom_apps:
            _zoom_app_anew(ring, app)
        for credential in archive.credentials:
            _credential_anew(ring, credential)
        for project in archive.projects:
            _anew(ring, project.webhook_secrets_encrypted)
        for subscription in archive.webhook_subscriptions:
            _anew(ring, subscription.secrets_encrypted)
    except SecretsError:
        text = "A secret was encrypted with a key that is not in RTMS_SECRETS_KEYS. Add that key first."
        raise invalid_fields({"non_field_errors": [text]}) from None


def _check_records(journal: Journal, archive: Archive) -> None:
    """Raises ApiError 400 where something could not be written, before anything is."""
    for topic, key, record in _entries(archive):
        if not journal.takes(topic, record):
            raise invalid_fields({"non_field_errors": [f"{key[:100]} of {topic.name} fits into no record."]})


def _check_details(credential: Credential) -> None:
    if credential.kind is not CredentialKind.EXTERNAL_MEDIA_STORAGE:
        return
    try:
        storage_access(credential)
    except ValueError:
        raise invalid_fields({"credentials": [f"{credential.credential_id} says of no storage where it is."]}) from None


async def _read(services: Services) -> Archive:
    for topic in topics.CONTROL_PLANE_TOPICS:
        await services.catch_up(topic)
    directory = services.directory
    projects = directory.projects()
    of_each = [project.project_id for project in projects]
    templates = [directory.template(project_id) for project_id in of_each]
    return Archive(
        version=VERSION,
        projects=projects,
        api_keys=[key for project_id in of_each for key in directory.api_keys(project_id)],
        zoom_apps=[app for project_id in of_each for app in directory.zoom_apps(project_id)],
        webhook_subscriptions=[entry for project_id in of_each for entry in directory.subscriptions(project_id)],
        templates=[template for template in templates if template is not None],
        credentials=[entry for project_id in of_each for entry in directory.credentials(project_id)],
    )


async def _write(services: Services, archive: Archive, *, instead_of: Archive | None = None) -> dict[str, int]:
    """How many of each were written: all, or those alone that are still as they were read."""
    before = {(topic.name, key): record for topic, key, record in _entries(instead_of)} if instead_of else None
    done = Counter(dict.fromkeys((topic.name for topic, _ in _FIELDS), 0))
    for topic, key, record in _entries(archive):
        if before is not None:
            await services.catch_up(topic)
            if _known(services.directory, record) != before[topic.name, key]:
                continue
        await written(services, topic, key, record)
        done[topic.name] += 1
    return {field: done[topic.name] for topic, field in _FIELDS}


_FIELDS = (
    (topics.PROJECTS, "projects"),
    (topics.API_KEYS, "api_keys"),
    (topics.ZOOM_APPS, "zoom_apps"),
    (topics.WEBHOOK_SUBSCRIPTIONS, "webhook_subscriptions"),
    (topics.TEMPLATES, "templates"),
    (topics.CREDENTIALS, "credentials"),
)


def _entries(archive: Archive) -> list[tuple[topics.Topic, str, Record]]:
    return [
        *((topics.PROJECTS, entry.project_id, entry) for entry in archive.projects),
        *((topics.API_KEYS, entry.key_id, entry) for entry in archive.api_keys),
        *((topics.ZOOM_APPS, entry.zoom_app_id, entry) for entry in archive.zoom_apps),
        *((topics.WEBHOOK_SUBSCRIPTIONS, entry.subscription_id, entry) for entry in archive.webhook_subscriptions),
        *((topics.TEMPLATES, entry.project_id, entry) for entry in archive.templates),
        *((topics.CREDENTIALS, entry.credential_id, entry) for entry in archive.credentials),
    ]


def _known(directory: Directory, record: Record) -> Record | None:
    """What this replica knows by now of something that holds secrets."""
    match record:
        case Project():
            return directory.project(record.project_id)
        case ZoomApp():
            return directory.zoom_app(record.zoom_app_id)
        case WebhookSubscription():
            return directory.subscription(record.subscription_id)
        case Credential():
            return directory.credential(record.project_id, record.kind)
        case _:
            return None
