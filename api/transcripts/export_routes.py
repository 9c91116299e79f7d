"""Transcripts as files."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.types import Send

from api.answers import answers
from api.app_sessions.current import CurrentSession
from api.errors import ApiError
from api.examples import TRANSCRIPT_FILES
from api.paths import APP_SESSION
from api.services import Here, Services
from api.transcripts import exports, utterances
from api.transcripts.exports import FORMATS, STATE_HEADER, Export, Format, TranscriptExportDocument
from api.transcripts.utterances import Row
from connectors.host.logs import get_logger

log = get_logger(__name__)

router = APIRouter(tags=["Transcripts"])

_TEXTS = {
    FORMATS[name].media_type.partition(";")[0]: {"schema": {"type": "string"}, "example": example}
    for name, example in TRANSCRIPT_FILES.items()
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": _TEXTS,
        "headers": {
            "Content-Disposition": {"schema": {"type": "string"}, "description": "what the file is to be called"},
            STATE_HEADER: {
                "schema": {"type": "string"},
                "description": "`complete`, `failed` (something is missing), or `not_started` and `in_progress`: "
                "what is said later is not in it",
            },
        },
    }
}


class StreamedFile(StreamingResponse):
    """A file that is read while it is sent. Where the store fails on the way it stays unfinished, and the server breaks
    the connection off: nobody takes a part for the whole."""

    async def stream_response(self, send: Send) -> None:
        """Starlette: send the body."""
        try:
            await super().stream_response(send)
        except ApiError:
            log.warning("export broken off")


class ExportQuery(BaseModel):
    """Which file."""

    format: str = Field(default="", description=f"one of {', '.join(FORMATS)}")
    engine: str | None = Field(
        default=None, description="zoom, or the engine asked first; default: the session's first"
    )


@router.get(
    f"{APP_SESSION}/transcript/export",
    response_model=TranscriptExportDocument,
    responses=answers(400, 401, 403, 404, 503) | _FILE,
)
async def export_transcript(
    session: CurrentSession, services: Here, query: Annotated[ExportQuery, Query()]
) -> StreamedFile:
    """What was said so far, as a file: subtitles (`vtt`, `srt`), text to read (`txt`, `md`), or `json` with everything.

    The newest revision of each utterance, in order of time. What nobody could make out is said to be missing in `txt`,
    `md` and `json`; subtitles leave it out.
    """
    form, engine = exports.format_of(query.format), utterances.engine_of(session, query.engine)
    asked = utterances.parameters(session, engine, None)
    first = await _read(services, asked, None)  # before any answer, so that a refusal can still be one
    export = exports.export_of(session, engine, first)
    return StreamedFile(
        _parts(services, asked, form, export, first),
        media_type=form.media_type,
        headers=exports.headers(form, export),
    )


async def _parts(
    services: Services, asked: dict[str, Any], form: Format, export: Export, rows: Sequence[Row]
) -> AsyncIterator[str]:
    """The file; `rows` are the first ones."""
    yield form.head(export)
    written = 0
    while rows:
        text, written = form.entries(rows, export, written)
        yield text
        rows = await _read(services, asked, rows[-1])
    yield form.tail


async def _read(services: Services, asked: dict[str, Any], last: Row | None) -> Sequence[Row]:
    return await services.select(exports.QUERY, asked | exports.after(last))
