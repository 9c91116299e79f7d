"""The other side of a WebSocket: servers that behave, servers that do not, and a listener that keeps what it hears."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.utils import accept_key

from connectors.rtms.transport.sockets import ConnectFailed, Transport
from schemas.excerpts import Excerpt
from tests.support.processes import PATIENCE_S

Handler = Callable[[ServerConnection], Awaitable[None]]


class Recorder:
    """A listener that keeps what it hears and lets tests wait for it."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.parts = 0
        self.changed = asyncio.Event()

    def on_message(self, data: bytes) -> None:
        self._keep(data)

    def on_oversized(self, excerpt: Excerpt) -> None:
        self._keep(excerpt)

    def on_part(self) -> None:
        self.parts += 1
        self.changed.set()

    def on_pong(self) -> None:
        self._keep("pong")

    def on_closed(self, close_code: int | None) -> None:
        self._keep(("closed", close_code))

    def _keep(self, item: object) -> None:
        self.heard.append(item)
        self.changed.set()

    async def until(self, condition: Callable[[list[object]], bool]) -> list[object]:
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self.heard):
                self.changed.clear()
                await self.changed.wait()
        return self.heard

    async def until_closed(self) -> list[object]:
        return await self.until(lambda heard: bool(heard) and isinstance(heard[-1], tuple) and heard[-1][0] == "closed")


@contextlib.asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = await serve(handler, "127.0.0.1", 0, ssl=tls, compression=None, max_size=None)
    port = next(iter(server.sockets)).getsockname()[1]
    try:
        yield f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/path?x=1"
    finally:
        server.close()
        await server.wait_closed()


RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving_raw(handler: RawHandler) -> AsyncIterator[int]:
    """A TCP server; leaving waits until every client has closed its side, so nobody can leave a socket behind."""
    conversations: list[asyncio.Task[None]] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.append(task)
        with contextlib.suppress(ConnectionError):
            await handler(reader, writer)
            await reader.read(-1)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait_for(asyncio.gather(*conversations), PATIENCE_S)


async def answer_upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
    )


async def refused_by(transport: Transport, url: str) -> str:
    with pytest.raises(ConnectFailed) as failure:
        await transport.connect(url, Recorder())
    return failure.value.reason
