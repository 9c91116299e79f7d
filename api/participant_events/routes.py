"""Participant events over REST."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.answers import answers
from api.app_sessions.current import CurrentBot
from api.pages import decoded, links, page_of
from api.participant_events import events
from api.participant_events.events import ParticipantEventPage
from api.paths import APP_SESSION, BOT
from api.services import Here

router = APIRouter(tags=["Participant events"])


class EventQuery(BaseModel):
    """What may be asked."""

    after: str | None = Field(default=None, description="only what was written later than this ISO 8601 time")
    before: str | None = Field(default=None, description="only what was written earlier than this ISO 8601 time")
    cursor: str | None = None


@router.get(f"{APP_SESSION}/participant_events", responses=answers(400, 401, 403, 404, 503))
@router.get(f"{BOT}/participant_events", responses=answers(400, 401, 403, 404, 503))
async def list_participant_events(
    request: Request, session: CurrentBot, services: Here, query: Annotated[EventQuery, Query()]
) -> ParticipantEventPage:
    """Who came and went, and who spoke if the session asked for that, in order, 25 a page."""
    at = decoded(query.cursor)
    asked = events.query(session.session_id, at, query.after, query.before)
    rows = [] if session.deletion is not None else await services.select(*asked)
    page = page_of(rows, at, events.key_of)
    following, preceding = links(request, services.settings.base_url(), page)
    return {"next": following, "previous": preceding, "results": events.documents(session.session_id, page.items)}
