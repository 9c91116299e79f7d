"""Reads live feeds as any client would: server-sent events by their specification, and WebSocket messages.

Who is told to try again, because the log cannot be read now, does so.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.support.processes import ANSWER_S, PATIENCE_S


class Told(NamedTuple):
    """One event; `data` is parsed."""

    event: str
    id: str | None
    data: Any


class Feed:
    """An open `text/event-stream`."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def next(self) -> Told:
        """The next event. Raises StopAsyncIteration when the stream has ended."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            name, _, value = line.partition(":")
            if line and name:
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                return Told(fields["event"], fields.get("id"), json.loads(fields["data"]))
            elif not line:
                fields = {}
        raise StopAsyncIteration

    async def sign_of_life(self) -> None:
        """The next comment, before which there must be no event."""
        async for line in self._lines:
            assert not line.startswith("data")
            if line.startswith(":"):
                return
        raise StopAsyncIteration

    async def all(self) -> list[Told]:
        """Everything to the end of the stream."""
        events = []
        try:
            while True:
                events.append(await self.next())
        except StopAsyncIteration:
            return events

    async def upto(self, count: int) -> list[Told]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def listening(url: str, key: str, last_event_id: str | None = None, **query: str) -> AsyncIterator[Feed]:
    """A feed, answered 200."""
    headers = {"Authorization": f"Token {key}"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    until_s = time.monotonic() + PATIENCE_S
    async with httpx.AsyncClient(headers=headers, timeout=ANSWER_S, trust_env=False, verify=False) as client:
        while True:
            async with client.stream("GET", url, params=query) as response:
                if response.status_code == 503 and time.monotonic() < until_s:
                    await asyncio.sleep(int(response.headers["retry-after"]))
                    continue
                if response.status_code != 200:
                    await response.aread()
                assert response.status_code == 200, (response.status_code, response.content)
                assert response.headers["content-type"].startswith("text/event-stream")
                yield Feed(response)
                return


@asynccontextmanager
async def connected(url: str, key: str, last_event_id: str | None = None) -> AsyncIterator[ClientConnection]:
    """The same feed as a WebSocket."""
    headers = {"Authorization": f"Token {key}"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    address = url.replace("http://", "ws://", 1)
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket = await connect(
                address, additional_headers=headers, proxy=None, open_timeout=ANSWER_S, ping_interval=None
            )
            break
        except InvalidStatus as refused:
            if refused.response.status_code != 503 or time.monotonic() > until_s:
                raise
            await asyncio.sleep(int(refused.response.headers["retry-after"]))
    async with socket:
        yield socket


async def message(socket: ClientConnection) -> Told:
    """The next message."""
    told = json.loads(await socket.recv())
    return Told(told["event"], told["id"], told["data"])
