"""A WebSocket that is refused gets the answer of the request that it stands for."""

import json
from typing import Any

from fastapi import FastAPI, WebSocket

from api import refusals

SCOPE = {
    "type": "websocket", "path": "/feed", "raw_path": b"/feed", "root_path": "", "scheme": "ws", "headers": [],
    "subprotocols": [], "extensions": {"websocket.http.response": {}},
    "asgi": {"version": "3.0", "spec_version": "2.4"},
}  # fmt: skip


async def handshake(query: bytes) -> list[Any]:
    """What is sent."""
    app, sent = FastAPI(), []

    @app.websocket("/feed")
    async def feed(websocket: WebSocket, partials: bool = False) -> None:
        await websocket.accept()

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    refusals.install(app)
    await app({**SCOPE, "query_string": query}, receive, send)
    return sent


async def test_a_bad_parameter_of_a_handshake_is_named() -> None:
    start, body = await handshake(b"partials=maybe")
    assert start["status"] == 400
    assert json.loads(body["body"]) == {"error": "Bad parameters: partials"}


async def test_a_good_one_is_accepted() -> None:
    [accepted] = await handshake(b"partials=true")
    assert accepted["type"] == "websocket.accept"
