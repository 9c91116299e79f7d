"""Who took part, under both names of a session."""

from fastapi import APIRouter, Request

from api.answers import answers
from api.app_sessions import participants
from api.app_sessions.current import CurrentBot
from api.app_sessions.participants import ParticipantPage
from api.pages import decoded, links
from api.paths import APP_SESSION, BOT
from api.services import Here

router = APIRouter(tags=["Participants"])


@router.get(f"{APP_SESSION}/participants", responses=answers(400, 401, 403, 404, 503))
@router.get(f"{BOT}/participants", responses=answers(400, 401, 403, 404, 503))
async def list_participants(
    request: Request,
    session: CurrentBot,
    services: Here,
    id: str | None = None,
    is_host: bool | None = None,
    cursor: str | None = None,
) -> ParticipantPage:
    """Who took part so far, by when they came first, 25 a page."""
    at = decoded(cursor)
    deleted = session.deletion is not None
    rows = [] if deleted else await services.select(participants.QUERY, participants.parameters(session.session_id))
    page = participants.page(session.session_id, rows, id, is_host, at)
    following, preceding = links(request, services.settings.base_url(), page)
    return {"next": following, "previous": preceding, "results": page.items}
