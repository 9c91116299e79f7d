"""Participant events over REST."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.answers import answers
from api.app_sessions.current import CurrentSession
from api.pages import decoded, link, page_of
from api.participant_events import events
from api.participant_events.events import ParticipantEventPage
from api.services import Here

router = APIRouter(prefix="/api/v1/app_sessions", tags=["Participant events"])


class EventQuery(BaseModel):
    """What may be asked."""

    after: str | None = Field(default=None, description="only what was written later than this ISO 8601 time")
    before: str | None = Field(default=None, description="only what was written earlier than this ISO 8601 time")
    cursor: str | None = None


@router.get("/{session_id}/participant_events", responses=answers(400, 401, 404, 503))
async def list_participant_events(
    request: Request, session: CurrentSession, services: Here, query: Annotated[EventQuery, Query()]
) -> ParticipantEventPage:
    """Who came and went, in order, 25 a page."""
    at = decoded(query.cursor)
    rows = await services.select(*events.query(session.session_id, at, query.after, query.before))
    page = page_of(rows, at, events.key_of)
    url, asked = services.settings.base_url() + request.url.path, request.query_params.multi_items()
    return {
        "next": link(url, asked, page.following),
        "previous": link(url, asked, page.preceding),
        "results": events.documents(session.session_id, page.items),
    }
