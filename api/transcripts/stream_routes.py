"""A transcript while it is spoken."""

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket
from fastapi.responses import Response

from api.examples import TRANSCRIPT_STREAM
from api.feed_access import AskedBySocket, AskedFeed, feed_answers
from api.feeds.serving import event_stream, serve_socket
from api.paths import APP_SESSION
from api.transcripts.utterances import engine_of
from schemas import topics

router = APIRouter(tags=["Live"])

PATH = f"{APP_SESSION}/transcript/stream"

NamedEngine = Annotated[str | None, Query(description="zoom, or the engine asked first; default: the session's first")]


@router.get(PATH, **feed_answers(TRANSCRIPT_STREAM))
async def stream_transcript(asked: AskedFeed, engine: NamedEngine = None) -> Response:
    """What was said so far and what is being said, as server-sent events or WebSocket messages.

    An `utterance` with an `id` that was told before replaces it (its `revision` is higher); `removed` takes it back;
    `end`: nothing follows. `closing` ends the connection, not the feed: come back with the id of the last event.
    """
    reader = asked.log_reader(topics.TRANSCRIPTS, engine_of(asked.session, engine))
    return await event_stream(reader, asked.terms)


@router.websocket(PATH)
async def stream_transcript_by_socket(websocket: WebSocket, asked: AskedBySocket, engine: str | None = None) -> None:
    """The same in messages."""
    reader = asked.log_reader(topics.TRANSCRIPTS, engine_of(asked.session, engine))
    await serve_socket(websocket, reader, asked.terms)
