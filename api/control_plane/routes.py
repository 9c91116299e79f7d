"""Projects, API keys, Zoom apps and templates over REST, for whoever holds the admin token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.access import CONTROL_PLANE, AsAdmin
from api.answers import READING, WRITING, answers, json_body
from api.bodies import read_json
from api.control_plane import commands, requests, templates
from api.control_plane.requests import (
    ApiKeyDocument,
    ApiKeyList,
    NewProjectDocument,
    ProjectDocument,
    ProjectList,
    WebhookSecretDocument,
    ZoomAppDocument,
    ZoomAppList,
)
from api.services import Here
from schemas import topics
from schemas.records import Project

router = APIRouter(prefix=CONTROL_PLANE, tags=["Control plane"], dependencies=[AsAdmin])


async def _current(project_id: str, services: Here) -> Project:
    return await commands.find_project(services, project_id)


Current = Annotated[Project, Depends(_current)]


async def _body(request: Request, services: Here) -> Any:
    return await read_json(request, services.settings.max_body_bytes)


Body = Annotated[Any, Depends(_body)]


@router.post(
    "",
    status_code=201,
    responses=WRITING,
    openapi_extra=json_body(
        requests.PROJECT_SCHEMA, acme={"name": "Acme", "concurrency_limit": 100, "retention_hours": 720}
    ),
)
async def create_project(body: Body, services: Here) -> NewProjectDocument:
    """A new tenant. Nothing of it is ever seen with another project's key."""
    project, secret = await commands.create_project(services, requests.project(body))
    return {**requests.project_document(project), "webhook_secret": secret}


@router.get("", responses=answers(401, 503))
async def list_projects(services: Here) -> ProjectList:
    """All projects, oldest first."""
    await services.catch_up(topics.PROJECTS)
    return {"results": [requests.project_document(project) for project in services.directory.projects()]}


@router.get("/{project_id}", responses=READING)
async def get_project(project: Current) -> ProjectDocument:
    """A project."""
    return requests.project_document(project)


@router.patch(
    "/{project_id}",
    responses=WRITING | answers(404),
    openapi_extra=json_body(requests.PROJECT_CHANGE_SCHEMA, more={"concurrency_limit": 500}),
)
async def change_project(project: Current, body: Body, services: Here) -> ProjectDocument:
    """Change a project's name, how many live sessions it may have, or how long its sessions' data is kept.

    The sessions that it has stay as they are, their terms as well.
    """
    return requests.project_document(await commands.change_project(services, project, requests.project_change(body)))


@router.post("/{project_id}/rotate_webhook_secret", responses=READING)
async def rotate_webhook_secret(project: Current, services: Here) -> WebhookSecretDocument:
    """A new secret for what sessions tell receivers of their own. The one before signs too, until the next call."""
    return {"webhook_secret": await commands.rotate_webhook_secret(services, project)}


@router.post(
    "/{project_id}/api_keys",
    status_code=201,
    responses=WRITING | answers(404),
    openapi_extra=json_body(
        requests.API_KEY_SCHEMA,
        dashboard={"name": "dashboard", "scopes": ["read"], "expires_at": "2027-01-01T00:00:00Z"},
    ),
)
async def create_api_key(project: Current, body: Body, services: Here) -> ApiKeyDocument:
    """A new key. This is the only time that it is shown."""
    key, secret = await commands.create_api_key(services, project, requests.api_key(body))
    return {**requests.api_key_document(key, None), "key": secret}


@router.get("/{project_id}/api_keys", responses=READING)
async def list_api_keys(project: Current, services: Here) -> ApiKeyList:
    """A project's keys, without their secrets."""
    await services.catch_up(topics.API_KEYS)
    directory = services.directory
    keys = directory.api_keys(project.project_id)
    return {"results": [requests.api_key_document(key, directory.last_used_ms(key.key_id)) for key in keys]}


@router.delete("/{project_id}/api_keys/{key_id}", status_code=204, responses=READING)
async def delete_api_key(project: Current, key_id: str, services: Here) -> Response:
    """Let a key open nothing any more."""
    await commands.delete_api_key(services, project, key_id)
    return Response(status_code=204)


@router.post(
    "/{project_id}/zoom_apps",
    status_code=201,
    responses=WRITING | answers(404),
    openapi_extra=json_body(
        requests.ZOOM_APP_SCHEMA, app={"client_id": "abc", "client_secret": "…", "webhook_secret": "…"}
    ),
)
async def create_zoom_app(project: Current, body: Body, services: Here) -> ZoomAppDocument:
    """A Zoom app that the project's streams are announced to; the same client id again replaces its secrets."""
    app = await commands.put_zoom_app(services, project, requests.zoom_app(body))
    return requests.zoom_app_document(app, services.settings.base_url())


@router.get("/{project_id}/zoom_apps", responses=READING)
async def list_zoom_apps(project: Current, services: Here) -> ZoomAppList:
    """A project's Zoom apps, without their secrets."""
    await services.catch_up(topics.ZOOM_APPS)
    base_url = services.settings.base_url()
    apps = services.directory.zoom_apps(project.project_id)
    return {"results": [requests.zoom_app_document(app, base_url) for app in apps]}


@router.delete("/{project_id}/zoom_apps/{zoom_app_id}", status_code=204, responses=READING)
async def delete_zoom_app(project: Current, zoom_app_id: str, services: Here) -> Response:
    """Forget an app: its streams cannot be joined any more, and its webhooks are refused."""
    await commands.delete_zoom_app(services, project, zoom_app_id)
    return Response(status_code=204)


@router.put(
    "/{project_id}/template",
    responses=WRITING | answers(404),
    openapi_extra=json_body(templates.SCHEMA, words_only=templates.EXAMPLE),
)
async def put_template(project: Current, body: Body, services: Here) -> dict[str, Any]:
    """How sessions are that Zoom's webhook creates. What a caller of the API names for one of them beats it."""
    return await templates.put(services, project.project_id, body)


@router.get("/{project_id}/template", responses=READING)
async def get_template(project: Current, services: Here) -> dict[str, Any]:
    """The template as it was given; empty where there is none."""
    return await templates.get(services, project.project_id)
