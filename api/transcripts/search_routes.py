"""Searching what was said in a project."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.access import CurrentProject
from api.answers import answers
from api.app_sessions.archive import several
from api.errors import unavailable
from api.pages import decoded, links
from api.services import Here, Services
from api.transcripts import searching
from api.transcripts.searching import MOST_CHARACTERS, MOST_WORDS, HitPage
from api.transcripts.utterances import Row
from connectors.clickhouse.errors import TOO_LONG, ClickHouseError
from connectors.host.logs import get_logger

log = get_logger(__name__)

router = APIRouter(prefix="/api/v1/transcripts", tags=["Transcripts"])


class SearchQuery(BaseModel):
    """What is looked for, and where."""

    query: str = Field(
        default="",
        description='words that all have to be in an utterance, a "phrase" in quotes as it stands; parts of words '
        f"count, case and accents do not; at most {MOST_CHARACTERS} characters and {MOST_WORDS} words",
    )
    app_session_id: str = Field(default="", description="only in this session")
    speaker: str = Field(default="", description="only of whose name has this in it; case and accents do not count")
    language: str = Field(default="", description="only in this language, with all its regions: `en` finds `en-GB`")
    engine: str = Field(default="", description="zoom, or the engine asked first; default: each session's first")
    after: str | None = Field(default=None, description="only what was said from this ISO 8601 time on")
    before: str | None = Field(default=None, description="only what was said before this ISO 8601 time")
    updated_after: str | None = Field(default=None, description="only what changed later than this ISO 8601 time")
    cursor: str | None = None


@router.get("/search", responses=answers(400, 401, 403, 404, 503))
async def search_transcripts(
    request: Request, project_id: CurrentProject, services: Here, query: Annotated[SearchQuery, Query()]
) -> HitPage:
    """What was said in the project's sessions, ascending in time, up to 25 a page. What is new is found soon."""
    at = decoded(query.cursor)
    search = searching.search_of(query.model_dump(exclude={"cursor"}, exclude_none=True))
    longest_s = services.settings.search_timeout_s
    rows = await _found(services, *searching.statement(project_id, search, at, longest_s))
    sessions = await several(services, project_id, {row["session_id"] for row in rows})

    def is_shown(row: Row) -> bool:
        return searching.is_shown(row, sessions.get(row["session_id"]), search)

    page = searching.page(rows, at, is_shown)
    following, preceding = links(request, services.settings.base_url(), page)
    return {
        "next": following,
        "previous": preceding,
        "results": [searching.document(row, search) for row in page.items],
    }


async def _found(services: Services, sql: str, parameters: dict[str, Any]) -> list[Row]:
    async with _turn(services):
        try:
            return list(await services.clickhouse.query_async(sql, parameters, patience_s=0))
        except ClickHouseError as error:
            log.warning("clickhouse cannot search", code=error.code, error=error.name)
            if error.code != TOO_LONG:
                raise unavailable("The answer cannot be read now. Try again.") from None
    raise unavailable(
        f"The search took longer than {services.settings.search_timeout_s} s. "
        "Narrow it by app_session_id, after or before, or try again."
    )


@asynccontextmanager
async def _turn(services: Services) -> AsyncIterator[None]:
    """A few searches at a time: others who read have the rest of ClickHouse, and of this process's threads."""
    try:
        async with asyncio.timeout(services.settings.search_timeout_s):
            await services.searches.acquire()
    except TimeoutError:
        raise unavailable("Too many searches at once. Try again.") from None
    try:
        yield
    finally:
        services.searches.release()
