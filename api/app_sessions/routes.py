"""App sessions over REST."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.access import CurrentProject
from api.answers import ALWAYS_REFUSED, READING, WRITING, answers, json_body
from api.app_sessions import alterations, commands, listing, request_schemas
from api.app_sessions.current import CurrentSession
from api.app_sessions.documents import AppSessionDocument, AppSessionPage, document
from api.app_sessions.listing import Filter
from api.app_sessions.pages import sessions_page
from api.app_sessions.requests import ended_stream, session_order
from api.bodies import read_json
from api.errors import refused, wrong_method
from api.pages import links
from api.paths import APP_SESSIONS
from api.services import Here

router = APIRouter(prefix=APP_SESSIONS, tags=["App sessions"])


@router.post(
    "",
    status_code=201,
    responses=WRITING,
    openapi_extra=json_body(
        request_schemas.CREATE, meeting=request_schemas.CREATE_EXAMPLE, least=request_schemas.LEAST_EXAMPLE
    ),
)
async def create_app_session(request: Request, project_id: CurrentProject, services: Here) -> AppSessionDocument:
    """Join the stream that a `*.rtms_started` webhook announced.

    A stream has one session, however often it is announced: asking again answers that session, with new addresses where
    Zoom has moved the stream. What is named in one request and not in another is merged. A deduplication key that
    another session has, and one live session more than the project may have, are refused with 400.
    """
    body = await read_json(request, services.settings.max_body_bytes)
    order = session_order(
        body,
        services.addresses,
        services.targets,
        has_custom_async=services.has_custom_async,
        composed_views=services.settings.composed_views,
    )
    return document(await commands.create(services, project_id, order))


@router.post(
    "/end",
    responses=WRITING | answers(404),
    openapi_extra=json_body(request_schemas.END, stopped=request_schemas.END_EXAMPLE),
)
async def end_app_session(request: Request, project_id: CurrentProject, services: Here) -> AppSessionDocument:
    """End the session of a stream. One that is ending or over is answered as it is, so this may be repeated."""
    stream_id = ended_stream(await read_json(request, services.settings.max_body_bytes))
    return document(await commands.end(services, project_id, stream_id))


@router.get("/end", include_in_schema=False)
async def no_get_of_end(request: Request, project_id: CurrentProject) -> None:
    """`end` is no session's id."""
    raise wrong_method(request.method, "POST")


@router.get("", responses=answers(400, 401, 403, 404, 503))
async def list_app_sessions(
    request: Request,
    project_id: CurrentProject,
    services: Here,
    cursor: str | None = None,
    states: str | None = None,
    deduplication_key: str | None = None,
) -> AppSessionPage:
    """The project's sessions, ascending by creation, 25 a page. `states` may be repeated or separated by commas."""
    wanted = Filter(listing.wanted_states(request.query_params.getlist("states")), deduplication_key)
    page = await sessions_page(services, project_id, wanted, cursor)
    following, preceding = links(request, services.settings.base_url(), page)
    return {"next": following, "previous": preceding, "results": [document(session) for session in page.items]}


@router.get("/{session_id}", responses=READING)
async def get_app_session(session: CurrentSession) -> AppSessionDocument:
    """A session as it is now."""
    return document(session)


@router.patch(
    "/{session_id}",
    responses=WRITING | answers(404),
    openapi_extra=json_body(alterations.PATCH_SCHEMA, other_metadata={"metadata": {"customer": "43"}}),
)
async def change_app_session(request: Request, session: CurrentSession, services: Here) -> AppSessionDocument:
    """Replace the metadata of a session, whatever its state."""
    body = await read_json(request, services.settings.max_body_bytes)
    return document(await alterations.patch(services, session, body))


@router.delete("/{session_id}", responses=answers(400, 401, 403, 404, 503), openapi_extra={ALWAYS_REFUSED: True})
async def delete_app_session(_session: CurrentSession) -> Response:
    """Always refused: a session can be ended, and its data can be deleted; that it was there stays known."""
    raise refused("An app session cannot be deleted. End it; once it is over, ask for delete_data.")


@router.post("/{session_id}/delete_data", responses=answers(400, 401, 403, 404, 503))
async def delete_app_session_data(session: CurrentSession, services: Here) -> AppSessionDocument:
    """Delete the recording, transcript, chat and participant events of a session that is over. May be repeated.

    From the answer on nobody is shown any of it. `GET …/data_deletion` says what is gone by now.
    """
    return document(await alterations.delete_data(services, session))
