"""Projects, API keys and Zoom apps over REST, for whoever holds the admin token."""

from fastapi import APIRouter, Request

from api.access import CONTROL_PLANE, AsAdmin
from api.answers import WRITING, answers, json_body
from api.bodies import read_json
from api.control_plane import commands, requests
from api.control_plane.requests import ApiKeyDocument, ProjectDocument, ProjectList, ZoomAppDocument
from api.services import Here
from schemas import topics

router = APIRouter(prefix=CONTROL_PLANE, tags=["Control plane"], dependencies=[AsAdmin])


@router.post("", status_code=201, responses=WRITING, openapi_extra=json_body(requests.NAMED_SCHEMA))
async def create_project(request: Request, services: Here) -> ProjectDocument:
    """A new tenant. Nothing of it is ever seen with another project's key."""
    name = requests.name(await read_json(request, services.settings.max_body_bytes))
    return requests.project_document(await commands.create_project(services, name))


@router.get("", responses=answers(401, 503))
async def list_projects(services: Here) -> ProjectList:
    """All projects."""
    await services.catch_up(topics.PROJECTS)
    return {"results": [requests.project_document(project) for project in services.directory.projects()]}


@router.post(
    "/{project_id}/api_keys",
    status_code=201,
    responses=WRITING | answers(404),
    openapi_extra=json_body(requests.NAMED_SCHEMA),
)
async def create_api_key(request: Request, project_id: str, services: Here) -> ApiKeyDocument:
    """A new key. This is the only time that it is shown."""
    name = requests.name(await read_json(request, services.settings.max_body_bytes))
    return await commands.create_api_key(services, project_id, name)


@router.post(
    "/{project_id}/zoom_apps",
    status_code=201,
    responses=WRITING | answers(404),
    openapi_extra=json_body(requests.ZOOM_APP_SCHEMA),
)
async def create_zoom_app(request: Request, project_id: str, services: Here) -> ZoomAppDocument:
    """The Zoom app that a project's streams are announced to; the same client id again replaces its secrets."""
    given = requests.zoom_app(await read_json(request, services.settings.max_body_bytes))
    return await commands.put_zoom_app(services, project_id, given)
