"""Making projects, API keys and Zoom apps: write to the log, wait until this replica knows it, answer."""

from dataclasses import replace
from typing import Any

from api.credentials import digest
from api.errors import ApiError, invalid_fields, not_found, unavailable
from api.services import Services
from api.webhooks.commands import new_secret
from api.writing import new_id, random_text, written
from connectors.rtms.credentials import Verdict
from schemas import ids, topics
from schemas.records import ApiKey, Project, ZoomApp

KEY_CHARACTERS = 32


async def create_project(services: Services, given: dict[str, Any]) -> tuple[Project, str]:
    """A new project, and the secret that signs what its sessions tell receivers of their own."""
    secret = new_secret()
    project = Project(
        project_id=new_id("proj_"),
        created_at_ms=services.clock.now_ms(),
        webhook_secrets_encrypted=(services.key_ring.encrypt(secret),),
        **given,
    )
    await written(services, topics.PROJECTS, project.project_id, project)
    return project, secret


async def find_project(services: Services, project_id: str) -> Project:
    """A project as it is now. Raises ApiError 404 and 503."""
    await services.catch_up(topics.PROJECTS)
    project = services.directory.project(project_id)
    if project is None:
        raise not_found("Project not found")
    return project


async def change_project(services: Services, project: Project, given: dict[str, Any]) -> Project:
    """The project with another name, limit or term."""
    changed = replace(project, **given)
    await written(services, topics.PROJECTS, project.project_id, changed)
    return changed


async def rotate_webhook_secret(services: Services, project: Project) -> str:
    """A new secret for what sessions tell receivers of their own; the one before signs too, until the next call."""
    secret = new_secret()
    both = (services.key_ring.encrypt(secret), *project.webhook_secrets_encrypted[:1])
    await change_project(services, project, {"webhook_secrets_encrypted": both})
    return secret


async def create_api_key(services: Services, project: Project, given: dict[str, Any]) -> tuple[ApiKey, str]:
    """A new key of a project, and its secret."""
    secret = random_text(KEY_CHARACTERS)
    key = ApiKey(
        key_id=new_id("key_"),
        project_id=project.project_id,
        name=given["name"],
        secret_sha256=digest(secret),
        created_at_ms=services.clock.now_ms(),
        scopes=tuple(given.get("scopes", ())),
        expires_at_ms=given.get("expires_at"),
    )
    await written(services, topics.API_KEYS, key.key_id, key)
    return key, secret


async def delete_api_key(services: Services, project: Project, key_id: str) -> None:
    """Let a key open nothing any more. Raises ApiError 404."""
    await services.catch_up(topics.API_KEYS)
    if key_id not in {key.key_id for key in services.directory.api_keys(project.project_id)}:
        raise not_found("API key not found")
    await written(services, topics.API_KEYS, key_id, None)


async def put_zoom_app(services: Services, project: Project, given: dict[str, str]) -> ZoomApp:
    """A project's Zoom app; the same client id again replaces its secrets.

    Raises:
        ApiError: 400 when the client id is another project's, or when Zoom does not know it with this secret; 503 when
            Zoom is to be asked and does not say.
    """
    client_id, webhook_secret = given["client_id"], given.get("webhook_secret")
    _check_holder(services, client_id, project.project_id)
    await _check_at_zoom(services, client_id, given["client_secret"])
    app = ZoomApp(
        zoom_app_id=ids.derived("zoa_", project.project_id, client_id),
        project_id=project.project_id,
        client_id=client_id,
        client_secret_encrypted=services.key_ring.encrypt(given["client_secret"]),
        webhook_secret_encrypted=services.key_ring.encrypt(webhook_secret) if webhook_secret else None,
        created_at_ms=services.clock.now_ms(),
    )
    await written(services, topics.ZOOM_APPS, app.zoom_app_id, app)
    try:
        _check_holder(services, client_id, project.project_id)
    except ApiError:  # another replica's record stands before ours in the log
        await written(services, topics.ZOOM_APPS, app.zoom_app_id, None)
        raise
    return app


async def delete_zoom_app(services: Services, project: Project, zoom_app_id: str) -> None:
    """Forget an app; its streams cannot be joined any more. Raises ApiError 404."""
    await services.catch_up(topics.ZOOM_APPS)
    if zoom_app_id not in {app.zoom_app_id for app in services.directory.zoom_apps(project.project_id)}:
        raise not_found("Zoom app not found")
    await written(services, topics.ZOOM_APPS, zoom_app_id, None)


async def _check_at_zoom(services: Services, client_id: str, client_secret: str) -> None:
    if services.zoom_oauth is None:
        return
    found = await services.zoom_oauth.check(client_id, client_secret)
    if found is Verdict.BAD:
        raise invalid_fields({"client_secret": ["Zoom does not know this client id with this secret."]})
    if found is Verdict.UNKNOWN:
        raise unavailable("Zoom does not say now whether these credentials are good. Try again.")


def _check_holder(services: Services, client_id: str, project_id: str) -> None:
    holder = services.directory.holder(client_id)
    if holder is not None and holder.project_id != project_id:
        raise invalid_fields({"client_id": ["This client id belongs to another project."]})
