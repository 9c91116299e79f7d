"""What participants do, while they do it."""

from fastapi import APIRouter, WebSocket
from fastapi.responses import Response

from api.examples import PARTICIPANT_STREAM
from api.feed_access import AskedBySocket, AskedFeed, feed_answers
from api.feeds.serving import event_stream, serve_socket
from api.paths import APP_SESSION
from schemas import topics

router = APIRouter(tags=["Live"])

PATH = f"{APP_SESSION}/participant_events/stream"


@router.get(PATH, **feed_answers(PARTICIPANT_STREAM))
async def stream_participant_events(asked: AskedFeed) -> Response:
    """Who came, went, spoke and wrote so far, and who does, as server-sent events or WebSocket messages.

    A `chat_message` with an `id` that was told before replaces it.
    """
    return await event_stream(asked.log_reader(topics.PARTICIPANT_EVENTS), asked.terms)


@router.websocket(PATH)
async def stream_participant_events_by_socket(websocket: WebSocket, asked: AskedBySocket) -> None:
    """The same in messages."""
    await serve_socket(websocket, asked.log_reader(topics.PARTICIPANT_EVENTS), asked.terms)
