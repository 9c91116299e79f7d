"""Transcripts over REST."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.answers import WRITING, answers, json_body
from api.app_sessions.alterations import delete_transcript
from api.app_sessions.current import CurrentBot
from api.bodies import read_json
from api.paths import APP_SESSION, BOT
from api.services import Here
from api.transcripts import asynchronous, utterances
from api.transcripts.asynchronous import AsyncTranscriptionDocument
from api.transcripts.utterances import UtteranceDocument

router = APIRouter(tags=["Transcripts"])

_AS_VTT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/vtt": {"schema": {"type": "string"}}}}}


class TranscriptQuery(BaseModel):
    """What may be asked."""

    engine: str | None = Field(
        default=None, description="zoom, or the engine asked first; default: the session's first"
    )
    format: str | None = Field(default=None, description="json or vtt")
    updated_after: str | None = Field(
        default=None,
        description="only what changed later than this ISO 8601 time; what Zoom deleted has an empty transcript",
    )
    async_transcription_id: str | None = Field(
        default=None, description="read this transcription of what was recorded; `engine` has no effect then"
    )


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
    form, side = utterances.format_of(query.format, accept), query.async_transcription_id
    whose = (
        utterances.engine_of(session, query.engine)
        if side is None
        else await asynchronous.readable(services, session, side)
    )
    rows = await services.select(utterances.QUERY, utterances.parameters(session, whose, query.updated_after))
    if side is not None:
        named = await services.select(asynchronous.NAMES, asynchronous.names_parameters(session))
        rows = asynchronous.with_names(rows, named)
    if form == utterances.VTT:
        return Response(utterances.vtt(session, rows), media_type=utterances.VTT_MEDIA_TYPE)
    return utterances.documents(session.session_id, whose, rows)


_TRANSCRIBE: dict[str, Any] = {
    "status_code": 201,
    "responses": WRITING | answers(404),
    "openapi_extra": json_body(asynchronous.SCHEMA, english={"transcription_settings": {"moonshine": {}}}),
}


@router.post(f"{APP_SESSION}/transcript", **_TRANSCRIBE)
@router.post(f"{BOT}/transcript", **_TRANSCRIBE)
async def transcribe_afterwards(request: Request, session: CurrentBot, services: Here) -> AsyncTranscriptionDocument:
    """Transcribe what was recorded once more, by another engine: at most four times, when the session has ended.

    It has to have been created with `record_async_transcription_audio_chunks`. The transcript is one beside the
    session's own, read with its id once it is complete, which the webhook `async_transcription.state_change` tells.
    """
    body = await read_json(request, services.settings.max_body_bytes)
    settings = asynchronous.settings_of(body, has_custom_async=services.has_custom_async)
    return await asynchronous.ask(services, session, settings)


_DELETE: dict[str, Any] = {"response_class": Response, "responses": answers(401, 403, 404, 503)}


@router.delete(f"{APP_SESSION}/transcript", **_DELETE)
@router.delete(f"{BOT}/transcript", **_DELETE)
async def delete_what_was_said(session: CurrentBot, services: Here) -> Response:
    """Delete what was said so far, of all engines; what is said later is kept. May be repeated."""
    await delete_transcript(services, session)
    return Response(status_code=200)
