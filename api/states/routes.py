"""A session's states, while they change."""

from functools import partial

from fastapi import APIRouter, WebSocket
from fastapi.responses import Response

from api.examples import STATE_STREAM
from api.feed_access import Asked, AskedBySocket, AskedFeed, feed_answers
from api.feeds.serving import event_stream, serve_socket
from api.paths import APP_SESSION
from api.states.reader import StateReader
from schemas import topics

router = APIRouter(tags=["Live"])

PATH = f"{APP_SESSION}/stream"


@router.get(PATH, **feed_answers(STATE_STREAM))
async def stream_states(asked: AskedFeed) -> Response:
    """Every step of the session's life, those before and those to come, as server-sent events or WebSocket messages.

    The data of a `state_change` is that of the webhook `bot.state_change`.
    """
    return await event_stream(_reader(asked), asked.terms)


@router.websocket(PATH)
async def stream_states_by_socket(websocket: WebSocket, asked: AskedBySocket) -> None:
    """The same in messages."""
    await serve_socket(websocket, _reader(asked), asked.terms)


def _reader(asked: Asked) -> StateReader:
    services = asked.services
    catch_up = partial(services.catch_up, topics.APP_SESSIONS)
    return StateReader(services.feeds, services.sessions, asked.session, asked.after, catch_up)
