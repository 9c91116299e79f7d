"""App sessions over REST."""

from collections.abc import Sequence

from fastapi import APIRouter, Request

from api.access import CurrentProject
from api.answers import READING, WRITING, answers, json_body
from api.app_sessions import commands, listing, request_schemas
from api.app_sessions.current import CurrentSession
from api.app_sessions.documents import AppSessionDocument, AppSessionPage, document
from api.app_sessions.requests import ended_stream, session_order
from api.bodies import read_json
from api.errors import wrong_method
from api.pages import Cursor, decoded, link
from api.services import Here
from schemas.records import AppSession

router = APIRouter(prefix="/api/v1/app_sessions", tags=["App sessions"])


@router.post(
    "",
    status_code=201,
    responses=WRITING,
    openapi_extra=json_body(request_schemas.CREATE, meeting=request_schemas.CREATE_EXAMPLE),
)
async def create_app_session(request: Request, project_id: CurrentProject, services: Here) -> AppSessionDocument:
    """Join the stream that a `*.rtms_started` webhook announced. A stream has one session, however often it is sent."""
    body = await read_json(request, services.settings.max_body_bytes)
    order = session_order(body, services.addresses)
    return document(await commands.create(services, project_id, order))


@router.post("/end", responses=WRITING | answers(404), openapi_extra=json_body(request_schemas.END))
async def end_app_session(request: Request, project_id: CurrentProject, services: Here) -> AppSessionDocument:
    """End the session of a stream. A session that is ending or over is answered as it is."""
    stream_id = ended_stream(await read_json(request, services.settings.max_body_bytes))
    return document(await commands.end(services, project_id, stream_id))


@router.get("/end", include_in_schema=False)
async def no_get_of_end(request: Request, project_id: CurrentProject) -> None:
    """`end` is no session's id."""
    raise wrong_method(request.method, "POST")


@router.get("", responses=answers(400, 401, 404, 503))
async def list_app_sessions(
    request: Request, project_id: CurrentProject, services: Here, cursor: str | None = None, states: str | None = None
) -> AppSessionPage:
    """The project's sessions, ascending by creation, 25 a page. `states` may be repeated or separated by commas."""
    wanted = listing.wanted_states(request.query_params.getlist("states"))

    async def fetch(after: Cursor) -> Sequence[AppSession]:
        return [listing.session_of(row) for row in await services.select(*listing.query(project_id, wanted, after))]

    page = await listing.listed(services.sessions.of_project(project_id), wanted, decoded(cursor), fetch)
    url, query = services.settings.base_url() + request.url.path, request.query_params.multi_items()
    return {
        "next": link(url, query, page.following),
        "previous": link(url, query, page.preceding),
        "results": [document(session) for session in page.items],
    }


@router.get("/{session_id}", responses=READING)
async def get_app_session(session: CurrentSession) -> AppSessionDocument:
    """A session as it is now."""
    return document(session)
