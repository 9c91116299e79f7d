"""App sessions in the place of bots: for programs that know their state, and how to change it, from there."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.access import CurrentProject
from api.answers import ALWAYS_REFUSED, READING, WRITING, answers, json_body
from api.app_sessions import alterations, listing
from api.app_sessions.current import CurrentBot
from api.app_sessions.listing import Filter
from api.app_sessions.pages import sessions_page
from api.bodies import read_json
from api.bots.documents import MEETING_URL, BotDocument, BotPage, bot
from api.errors import refused
from api.pages import decoded, links
from api.paths import BOTS
from api.services import Here
from api.times import queried_ms

router = APIRouter(prefix=BOTS, tags=["Bots"])

REFUSED = (
    ("POST", "leave"),
    ("POST", "pause_recording"),
    ("POST", "resume_recording"),
    ("POST", "speech"),
    ("POST", "output_audio"),
    ("POST", "output_image"),
    ("POST", "output_video"),
    ("POST", "send_chat_message"),
    ("PATCH", "transcription_settings"),
    ("PATCH", "voice_agent_settings"),
)
"""What only a bot in a meeting can do."""


class BotQuery(BaseModel):
    """Which bots are wanted."""

    states: list[str] = Field(default=[], description="may be repeated, or separated by commas")
    meeting_url: str | None = Field(default=None, description="`app_session` for all; no other finds anything")
    deduplication_key: str | None = None
    join_at_after: str | None = Field(default=None, description="finds nothing: no app session has a join_at")
    join_at_before: str | None = Field(default=None, description="finds nothing: no app session has a join_at")
    cursor: str | None = None


@router.get("", responses=answers(400, 401, 403, 404, 503))
async def list_bots(
    request: Request, project_id: CurrentProject, services: Here, query: Annotated[BotQuery, Query()]
) -> BotPage:
    """The project's app sessions as bots, ascending by creation, 25 a page. There are no other bots."""
    wanted = Filter(listing.wanted_states(query.states), query.deduplication_key)
    moments = {"join_at_after": query.join_at_after, "join_at_before": query.join_at_before}
    scheduled = [queried_ms(name, moment) for name, moment in moments.items() if moment is not None]
    if scheduled or query.meeting_url not in (None, MEETING_URL):
        decoded(query.cursor)
        return {"next": None, "previous": None, "results": []}
    page = await sessions_page(services, project_id, wanted, query.cursor)
    following, preceding = links(request, services.settings.base_url(), page)
    return {"next": following, "previous": preceding, "results": [bot(session) for session in page.items]}


@router.get("/{session_id}", responses=READING)
async def get_bot(session: CurrentBot) -> BotDocument:
    """An app session as it is now, as a bot."""
    return bot(session)


@router.patch(
    "/{session_id}",
    responses=WRITING | answers(404),
    openapi_extra=json_body(alterations.PATCH_SCHEMA, other_metadata={"metadata": {"customer": "43"}}),
)
async def change_bot(request: Request, session: CurrentBot, services: Here) -> BotDocument:
    """Replace the metadata, whatever the state. Nothing else of an app session can be changed."""
    body = await read_json(request, services.settings.max_body_bytes)
    return bot(await alterations.patch(services, session, body))


@router.delete("/{session_id}", responses=answers(400, 401, 403, 404, 503), openapi_extra={ALWAYS_REFUSED: True})
async def delete_bot(session: CurrentBot) -> Response:
    """Always refused: only scheduled bots can be deleted, and no app session is one."""
    raise refused(f"Only scheduled bots can be deleted; this one is in state {session.state}.")


@router.post("/{session_id}/delete_data", responses=answers(400, 401, 403, 404, 503))
async def delete_bot_data(session: CurrentBot, services: Here) -> BotDocument:
    """Delete the recording, transcript, chat and participant events of a session that is over. May be repeated.

    From the answer on nobody is shown any of it. `GET …/data_deletion` says what is gone by now.
    """
    return bot(await alterations.delete_data(services, session))


async def refuse(request: Request, session: CurrentBot) -> Response:
    """Always refused: an app session receives, it does not act in the meeting."""
    action = request.url.path.rpartition("/")[2]
    raise refused(f"{action} is not possible for an app session, whatever its state ({session.state}).")


for _method, _action in REFUSED:
    router.add_api_route(
        f"/{{session_id}}/{_action}",
        refuse,
        methods=[_method],
        responses=answers(400, 401, 403, 404, 503),
        openapi_extra={ALWAYS_REFUSED: True},
        name=f"{_action}_of_bot",
    )
