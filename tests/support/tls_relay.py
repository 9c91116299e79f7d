"""TLS in front of a server that speaks none: what a load balancer with a certificate of one's own does."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.ports import LOOPBACK
from tests.support.certificates import Authority

_START_S = 60


@contextmanager
def tls_relay(port: int, authority: Authority) -> Iterator[int]:
    """The loopback port on which the server of `port` is reached by TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("relay"))
    started: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        pumps = [asyncio.create_task(_pump(reader, inner_writer)), asyncio.create_task(_pump(inner_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in (writer, inner_writer):
                end.transport.abort()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def serve() -> None:
        stop = asyncio.Event()
        async with await asyncio.start_server(join, LOOPBACK, 0, ssl=context) as server:
            started.put((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="tls-relay", daemon=True)
    thread.start()
    found, loop, stop = started.get(timeout=_START_S)
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
