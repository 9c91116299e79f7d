"""Transcripts over REST."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.answers import answers
from api.app_sessions.current import CurrentSession
from api.services import Here
from api.transcripts import utterances
from api.transcripts.utterances import UtteranceDocument

router = APIRouter(prefix="/api/v1/app_sessions", tags=["Transcripts"])

_AS_VTT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/vtt": {"schema": {"type": "string"}}}}}


class TranscriptQuery(BaseModel):
    """What may be asked."""

    engine: str | None = Field(default=None, description="zoom or moonshine; default: the session's first engine")
    format: str | None = Field(default=None, description="json or vtt")
    updated_after: str | None = Field(default=None, description="only what changed later than this ISO 8601 time")
    async_transcription_id: str | None = Field(default=None, description="there are none in this release")


@router.get(
    "/{session_id}/transcript",
    response_model=list[UtteranceDocument],
    responses=answers(400, 401, 404, 503) | _AS_VTT,
)
async def get_transcript(
    session: CurrentSession,
    services: Here,
    query: Annotated[TranscriptQuery, Query()],
    accept: Annotated[str, Header()] = "",
) -> list[UtteranceDocument] | Response:
    """What was said so far, in order; as WebVTT also for `Accept: text/vtt`."""
    if query.async_transcription_id is not None:
        raise utterances.no_async_transcription()
    engine, form = utterances.engine_of(session, query.engine), utterances.format_of(query.format, accept)
    rows = await services.select(utterances.QUERY, utterances.parameters(session, engine, query.updated_after))
    if form == utterances.VTT:
        return Response(utterances.vtt(session, rows), media_type=utterances.VTT_MEDIA_TYPE)
    return utterances.documents(session.session_id, engine, rows)
