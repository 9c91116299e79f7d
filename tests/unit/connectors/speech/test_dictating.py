"""The way to a service that hears while somebody speaks, against servers that nobody would want."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from connectors.speech.dictating import MAX_MESSAGE_BYTES, DictationClient, Lost, Refused
from connectors.speech.dictation import Opening
from connectors.speech.exchange import Failure
from schemas.transcription_codes import Reason
from tests.support.certificates import Authority

PATIENCE_S = 60.0


@asynccontextmanager
async def serving(
    behave: Callable[[ServerConnection], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Opening]:
    async with serve(behave, "127.0.0.1", 0, ssl=tls, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        yield Opening(f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/", {})


async def stays(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def test_a_certificate_that_is_not_good_is_the_services_trouble_and_not_that_of_what_was_asked(
    tmp_path: Path,
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*Authority(tmp_path).issue("elsewhere"))
    async with serving(stays, tls) as opening:
        with pytest.raises(Refused) as refused:
            async with DictationClient(PATIENCE_S).opened(opening):
                pass
    assert refused.value.failure == Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)


@pytest.mark.parametrize(
    "message",
    [b"\xff\xfe", "x" * (MAX_MESSAGE_BYTES + 1), ["x" * MAX_MESSAGE_BYTES] * 4],
    ids=["no text", "long", "long in pieces"],
)
async def test_what_nobody_can_mean_is_the_end_of_the_connection(message: str | bytes | list[str]) -> None:
    async def tells(connection: ServerConnection) -> None:
        await connection.send(message, text=isinstance(message, bytes) or None)
        await connection.wait_closed()

    async with serving(tells) as opening, DictationClient(PATIENCE_S).opened(opening) as wire:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(Lost):
                await wire.receive()
            with pytest.raises(Lost):
                await wire.send(b"\0\0")


async def test_what_was_told_before_the_end_is_still_heard() -> None:
    async def tells(connection: ServerConnection) -> None:
        for number in range(40):
            await connection.send(str(number))
        await connection.close(1011)

    async with serving(tells) as opening, DictationClient(PATIENCE_S).opened(opening) as wire:
        assert [await wire.receive() for _ in range(40)] == [str(number) for number in range(40)]
        with pytest.raises(Lost):
            await wire.receive()


async def test_who_goes_has_gone_whatever_the_other_one_does() -> None:
    gone = asyncio.Event()

    async def listens(connection: ServerConnection) -> None:
        await connection.wait_closed()
        gone.set()

    async with serving(listens) as opening:
        async with DictationClient(PATIENCE_S).opened(opening) as wire:
            await wire.send(b"\0\0")
        async with asyncio.timeout(PATIENCE_S):
            await gone.wait()
