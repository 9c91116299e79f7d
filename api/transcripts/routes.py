"""Transcripts over REST."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.answers import ALWAYS_REFUSED, WRITING, answers, json_body
from api.app_sessions.alterations import delete_transcript
from api.app_sessions.current import CurrentBot
from api.bodies import read_json
from api.paths import APP_SESSION, BOT
from api.services import Here
from api.transcripts import asynchronous, utterances
from api.transcripts.utterances import UtteranceDocument

router = APIRouter(tags=["Transcripts"])

_AS_VTT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/vtt": {"schema": {"type": "string"}}}}}


class TranscriptQuery(BaseModel):
    """What may be asked."""

    engine: str | None = Field(
        default=None, description="zoom, or the engine asked first; default: the session's first"
    )
    format: str | None = Field(default=None, description="json or vtt")
    updated_after: str | None = Field(default=None, description="only what changed later than this ISO 8601 time")
    async_transcription_id: str | None = Field(default=None, description="there are none in this release")


_ASKED: dict[str, Any] = {
    "response_model": list[UtteranceDocument],
    "responses": answers(400, 401, 403, 404, 503) | _AS_VTT,
}


@router.get(f"{APP_SESSION}/transcript", **_ASKED)
@router.get(f"{BOT}/transcript", **_ASKED)
async def get_transcript(
    session: CurrentBot,
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


_TRANSCRIBE: dict[str, Any] = {
    "status_code": 201,
    "responses": WRITING | answers(404),
    "openapi_extra": json_body(asynchronous.SCHEMA, english={"transcription_settings": {"moonshine": {}}})
    | {ALWAYS_REFUSED: True},
}


@router.post(f"{APP_SESSION}/transcript", **_TRANSCRIBE)
@router.post(f"{BOT}/transcript", **_TRANSCRIBE)
async def transcribe_afterwards(request: Request, _session: CurrentBot, services: Here) -> Response:
    """Always refused, after the body was checked: transcribing what was recorded is not available yet."""
    body = await read_json(request, services.settings.max_body_bytes)
    raise asynchronous.refusal(body)


_DELETE: dict[str, Any] = {"response_class": Response, "responses": answers(401, 403, 404, 503)}


@router.delete(f"{APP_SESSION}/transcript", **_DELETE)
@router.delete(f"{BOT}/transcript", **_DELETE)
async def delete_what_was_said(session: CurrentBot, services: Here) -> Response:
    """Delete what was said so far, of all engines; what is said later is kept. May be repeated."""
    await delete_transcript(services, session)
    return Response(status_code=200)
