"""Chat messages over REST."""

from fastapi import APIRouter, Request

from api.answers import answers
from api.app_sessions.current import CurrentBot
from api.chat_messages import messages
from api.chat_messages.messages import ChatMessagePage
from api.pages import decoded, links, page_of
from api.paths import APP_SESSION, BOT
from api.services import Here

router = APIRouter(tags=["Chat"])


@router.get(f"{APP_SESSION}/chat_messages", responses=answers(400, 401, 403, 404, 503))
@router.get(f"{BOT}/chat_messages", responses=answers(400, 401, 403, 404, 503))
async def list_chat_messages(
    request: Request,
    session: CurrentBot,
    services: Here,
    updated_after: str | None = None,
    cursor: str | None = None,
) -> ChatMessagePage:
    """What was written so far, in order, 25 a page; without what was deleted in the meeting."""
    at = decoded(cursor)
    asked = messages.query(session.session_id, at, updated_after)
    rows = [] if session.deletion is not None else await services.select(*asked)
    page = page_of(rows, at, messages.key_of)
    following, preceding = links(request, services.settings.base_url(), page)
    return {"next": following, "previous": preceding, "results": messages.documents(session.session_id, page.items)}
