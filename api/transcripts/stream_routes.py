"""A transcript while it is spoken."""

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket
from fastapi.responses import Response

from api.examples import TRANSCRIPT_STREAM
from api.feed_access import Asked, AskedBySocket, AskedFeed, feed_answers
from api.feeds.log_reader import LogReader
from api.feeds.serving import event_stream, serve_socket
from api.paths import APP_SESSION
from api.transcripts.utterances import engine_of, partials_of
from schemas import topics

router = APIRouter(tags=["Live"])

PATH = f"{APP_SESSION}/transcript/stream"

WithPartials = Annotated[bool, Query(description="also what is being said, of a session that was asked for partials")]
NamedEngine = Annotated[str | None, Query(description="zoom, or the engine asked first; default: the session's first")]


@router.get(PATH, **feed_answers(TRANSCRIPT_STREAM))
async def stream_transcript(asked: AskedFeed, engine: NamedEngine = None, partials: WithPartials = False) -> Response:
    """What was said so far and what is being said, as server-sent events or WebSocket messages.

    An `utterance` with an `id` that was told before replaces it (its `revision` is higher); `removed` takes it back;
    `end`: nothing follows. `closing` ends the connection, not the feed: come back with the id of the last event.
    With `partials`, an `utterance` of status `partial` says what was heard so far of one that somebody still speaks. It
    has no event id, is told to those who are there and never again, and without words it takes back what it said.
    """
    return await event_stream(_reader(asked, engine, partials), asked.terms)


@router.websocket(PATH)
async def stream_transcript_by_socket(
    websocket: WebSocket, asked: AskedBySocket, engine: str | None = None, partials: bool = False
) -> None:
    """The same in messages."""
    await serve_socket(websocket, _reader(asked, engine, partials), asked.terms)


def _reader(asked: Asked, named: str | None, wants_partials: bool) -> LogReader:
    engine = engine_of(asked.session, named)
    reader = asked.log_reader(topics.TRANSCRIPTS, engine)
    reader.wants_partials = wants_partials and partials_of(asked.session, engine)
    return reader
