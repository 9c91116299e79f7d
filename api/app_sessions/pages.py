"""Pages of app sessions, from the store and the live view."""

from collections.abc import Sequence

from api.app_sessions import listing
from api.app_sessions.listing import Filter
from api.pages import Cursor, Page, decoded
from api.services import Services
from schemas import topics
from schemas.records import AppSession


async def sessions_page(services: Services, project_id: str, wanted: Filter, cursor: str | None) -> Page[AppSession]:
    """The project's wanted sessions after `cursor`. Raises ApiError 404 (no such cursor) and 503."""

    async def fetch(after: Cursor) -> Sequence[AppSession]:
        return [listing.session_of(row) for row in await services.select(*listing.query(project_id, wanted, after))]

    await services.refresh(topics.APP_SESSIONS)
    return await listing.listed(services.sessions.of_project(project_id), wanted, decoded(cursor), fetch)
