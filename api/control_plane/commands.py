"""Making projects, API keys and Zoom apps: write to the log, wait until this replica knows it, answer."""

import secrets

from api.control_plane.requests import ApiKeyDocument, ZoomAppDocument
from api.credentials import digest
from api.errors import ApiError, invalid_fields, not_found, unavailable
from api.services import Services
from schemas import ids, topics
from schemas.records import ApiKey, Project, Record, ZoomApp
from schemas.topics import Topic

KEY_CHARACTERS = 32


async def create_project(services: Services, name: str) -> Project:
    """A new project."""
    project = Project(project_id=_new_id("proj_"), name=name, created_at_ms=services.clock.now_ms())
    await _write(services, topics.PROJECTS, project.project_id, project)
    return project


async def create_api_key(services: Services, project_id: str, name: str) -> ApiKeyDocument:
    """A new key of a project. Raises ApiError 404."""
    await _check_project(services, project_id)
    secret = _random(KEY_CHARACTERS)
    key = ApiKey(
        key_id=_new_id("key_"),
        project_id=project_id,
        name=name,
        secret_sha256=digest(secret),
        created_at_ms=services.clock.now_ms(),
    )
    await _write(services, topics.API_KEYS, key.key_id, key)
    return {"id": key.key_id, "key": secret}


async def put_zoom_app(services: Services, project_id: str, given: dict[str, str]) -> ZoomAppDocument:
    """A project's Zoom app; the same client id again replaces its secrets.

    Raises:
        ApiError: 404 without such a project, 400 when the client id is another project's.
    """
    await _check_project(services, project_id)
    client_id, webhook_secret = given["client_id"], given.get("webhook_secret")
    _check_holder(services, client_id, project_id)
    app = ZoomApp(
        zoom_app_id=ids.derived("zoa_", project_id, client_id),
        project_id=project_id,
        client_id=client_id,
        client_secret_encrypted=services.key_ring.encrypt(given["client_secret"]),
        webhook_secret_encrypted=services.key_ring.encrypt(webhook_secret) if webhook_secret else None,
        created_at_ms=services.clock.now_ms(),
    )
    await _write(services, topics.ZOOM_APPS, app.zoom_app_id, app)
    try:
        _check_holder(services, client_id, project_id)
    except ApiError:  # another replica's record stands before ours in the log
        await _write(services, topics.ZOOM_APPS, app.zoom_app_id, None)
        raise
    return {"id": app.zoom_app_id, "client_id": client_id}


def _check_holder(services: Services, client_id: str, project_id: str) -> None:
    holder = services.directory.holder(client_id)
    if holder is not None and holder.project_id != project_id:
        raise invalid_fields({"client_id": ["This client id belongs to another project."]})


async def _check_project(services: Services, project_id: str) -> None:
    if services.directory.project(project_id) is None:
        await services.catch_up(topics.PROJECTS)
    if services.directory.project(project_id) is None:
        raise not_found("Project not found")


async def _write(services: Services, topic: Topic, key: str, record: Record | None) -> None:
    at = await services.journal.write(topic, key, record)
    if not await services.followed[topic].applied(at.partition, at.offset, services.settings.fold_timeout_s):
        raise unavailable("The request is recorded but not visible yet.")


def _new_id(prefix: str) -> str:
    return prefix + _random(ids.LENGTH)


def _random(length: int) -> str:
    return "".join(secrets.choice(ids.ALPHABET) for _ in range(length))
