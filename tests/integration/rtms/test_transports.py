"""One suite for both WebSocket libraries, against a real server on this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.server import ServerConnection

from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.choice import create_transport
from connectors.rtms.transport.sockets import Transport
from deploy.local.ports import free_ports
from schemas.excerpts import excerpt_of
from tests.integration.rtms.conftest import LIMIT_BYTES
from tests.support.websocket_peers import PATIENCE_S, Recorder, answer_upgrade, refused_by, serving, serving_raw


async def test_text_and_binary_arrive_as_bytes_and_messages_leave_as_text(transport: Transport) -> None:
    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/path?x=1"
        first = await connection.recv()
        assert isinstance(first, str)
        await connection.send(first.upper())
        await connection.send(b"\x00binary")
        await connection.wait_closed()

    async with serving(handler) as url:
        ears = Recorder()
        socket = await transport.connect(url, ears)
        socket.send("grüße".encode())
        await ears.until(lambda heard: len(heard) == 2)
        assert ears.heard == ["GRÜSSE".encode(), b"\x00binary"]
        socket.abort()


@pytest.mark.parametrize("pieces", [2, 40])
async def test_fragments_are_joined_also_around_control_frames(transport: Transport, pieces: int) -> None:
    whole = bytes(range(256)) * 40

    async def handler(connection: ServerConnection) -> None:
        async def parts() -> AsyncIterator[bytes]:
            size = len(whole) // pieces
            for start in range(0, len(whole), size):
                yield whole[start : start + size]
                await (await connection.ping())

        await connection.send(parts())
        await connection.send("after")
        await connection.wait_closed()

    async with serving(handler) as url:
        ears = Recorder()
        socket = await transport.connect(url, ears)
        await ears.until(lambda heard: len(heard) == 2)
        assert ears.heard == [whole, b"after"]
        socket.abort()


async def test_parts_of_a_message_are_told_before_it_is_whole(transport: Transport) -> None:
    is_heard, is_told = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_upgrade(reader, writer)
        writer.write(b"\x82\x03one")
        await is_heard.wait()
        writer.write(b"\x82\x7e\x01\x00" + b"x" * 100)
        await is_told.wait()
        writer.write(b"x" * 156)

    async with serving_raw(handler) as port:
        ears = Recorder()
        socket = await transport.connect(f"ws://127.0.0.1:{port}/", ears)
        await ears.until(lambda heard: heard == [b"one"])
        parts = ears.parts
        is_heard.set()
        await ears.until(lambda heard: ears.parts > parts)
        assert ears.heard == [b"one"]
        parts = ears.parts
        is_told.set()
        await ears.until(lambda heard: heard == [b"one", b"x" * 256])
        assert ears.parts == parts, "that was the rest of it"
        socket.abort()


async def test_a_message_up_to_the_limit_passes(transport: Transport) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send(b"x" * LIMIT_BYTES)
        await connection.wait_closed()

    async with serving(handler) as url:
        ears = Recorder()
        socket = await transport.connect(url, ears)
        await ears.until(lambda heard: len(heard) == 1)
        assert ears.heard == [b"x" * LIMIT_BYTES]
        socket.abort()


@pytest.mark.parametrize("pieces", [1, 2, 40])
async def test_of_a_message_over_the_limit_an_excerpt_is_kept_and_the_socket_goes_on(
    transport: Transport, pieces: int
) -> None:
    size = LIMIT_BYTES + 1 if pieces == 1 else 8 * LIMIT_BYTES
    whole = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    async def handler(connection: ServerConnection) -> None:
        step = size // pieces
        await connection.send("before")
        await connection.send([whole[i : i + step] for i in range(0, size, step)] if pieces > 1 else whole)
        await connection.send("after")
        await (await connection.ping())
        await connection.send("at the limit" + "." * (LIMIT_BYTES - 12))
        await connection.wait_closed()

    if pieces == 2:
        size = 2 * LIMIT_BYTES
        whole = whole[:size]
    async with serving(handler) as url:
        ears = Recorder()
        socket = await transport.connect(url, ears)
        await ears.until(lambda heard: len(heard) == 4)
        assert ears.heard[:3] == [b"before", excerpt_of(whole), b"after"]
        assert ears.heard[3] == b"at the limit" + b"." * (LIMIT_BYTES - 12)
        socket.abort()


@pytest.mark.parametrize("fragmented", [False, True])
async def test_a_frame_that_nobody_can_hold_closes_the_socket(transport: Transport, fragmented: bool) -> None:
    async def handler(connection: ServerConnection) -> None:
        giant = b"x" * (2 * LIMIT_BYTES + 1)
        with contextlib.suppress(Exception):
            await connection.send([b"x", giant] if fragmented else giant)
        await connection.wait_closed()
        codes.append(connection.close_code)

    codes: list[int | None] = []
    async with serving(handler) as url:
        ears = Recorder()
        await transport.connect(url, ears)
        heard = await ears.until_closed()
        assert len(heard) == 1
    assert codes == [1009]


async def test_a_pong_never_overtakes_what_was_sent_before_it(transport: Transport) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.recv()
        for number in range(500):
            await connection.send(str(number))
        await connection.wait_closed()

    async with serving(handler) as url:
        ears = Recorder()
        socket = await transport.connect(url, ears)
        socket.send(b"go")
        await ears.until(lambda heard: bool(heard))
        socket.ping()
        await ears.until(lambda heard: "pong" in heard and len(heard) == 501)
        before = ears.heard[: ears.heard.index("pong")]
        assert before == [str(number).encode() for number in range(len(before))]
        socket.abort()


async def test_who_asks_without_end_and_reads_no_answer_is_cut_off(transport: Transport) -> None:
    """What nobody reads would wait here, and there would be no end of it."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_upgrade(reader, writer)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write((b"\x89\x7d" + b"p" * 125) * 100)
                await writer.drain()

    async with serving_raw(handler) as port:
        ears = Recorder()
        await transport.connect(f"ws://127.0.0.1:{port}/", ears)
        assert (await ears.until_closed())[-1] == ("closed", None)


async def test_the_servers_pings_are_answered(transport: Transport) -> None:
    answered = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await (await connection.ping())
        answered.set()
        await connection.wait_closed()

    async with serving(handler) as url:
        socket = await transport.connect(url, Recorder())
        await asyncio.wait_for(answered.wait(), PATIENCE_S)
        socket.abort()


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4000])
async def test_the_servers_close_is_reported_with_its_code_once(transport: Transport, code: int) -> None:
    async def handler(connection: ServerConnection) -> None:
        await connection.send("last words")
        await connection.close(code)

    async with serving(handler) as url:
        ears = Recorder()
        socket = await transport.connect(url, ears)
        heard = await ears.until_closed()
        assert heard == [b"last words", ("closed", code)]
        socket.send(b"into the void")
        socket.ping()
        socket.close()
        socket.abort()


async def test_an_abrupt_end_has_no_code(transport: Transport) -> None:
    async def handler(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with serving(handler) as url:
        ears = Recorder()
        await transport.connect(url, ears)
        assert await ears.until_closed() == [("closed", None)]


async def test_closing_in_good_order_loses_nothing_that_was_sent_before_the_peers_close(transport: Transport) -> None:
    count = 2000

    async def handler(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            for number in range(count):
                await connection.send(str(number))
        sent.set_result(number + 1)
        await connection.wait_closed()

    async with serving(handler) as url:
        sent: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        ears = Recorder()
        socket = await transport.connect(url, ears)
        await ears.until(lambda heard: len(heard) > 10)
        socket.close()
        socket.send(b"too late, and no error")
        heard = await ears.until_closed()
        assert heard[-1] == ("closed", 1000)
        numbers = heard[:-1]
        assert numbers == [str(number).encode() for number in range(len(numbers))]
        assert await sent - len(numbers) <= 1  # the one whose send was broken by the close


async def test_a_peer_that_never_answers_the_close_is_cut_off(settings: ZoomSettings) -> None:
    transport = create_transport(settings.model_copy(update={"close_timeout_s": 0.3}))
    async with serving_raw(answer_upgrade) as port:
        ears = Recorder()
        socket = await transport.connect(f"ws://127.0.0.1:{port}", ears)
        socket.close()
        assert await ears.until_closed() == [("closed", None)]


async def test_abort_is_silent(transport: Transport) -> None:
    async def handler(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            while True:
                await connection.send("noise")
                await asyncio.sleep(0)

    async with serving(handler) as url:
        ears = Recorder()
        socket = await transport.connect(url, ears)
        await ears.until(lambda heard: bool(heard))
        socket.abort()
        count = len(ears.heard)
        await asyncio.sleep(0.05)
        assert len(ears.heard) == count


async def test_nobody_listening(transport: Transport) -> None:
    (port,) = free_ports(1)
    assert await refused_by(transport, f"ws://127.0.0.1:{port}") == "connection_refused"


async def test_a_name_that_does_not_resolve(transport: Transport) -> None:
    assert await refused_by(transport, "ws://no-such-host.invalid:9") == "unreachable"


async def test_a_server_that_never_answers_the_upgrade(settings: ZoomSettings) -> None:
    transport = create_transport(settings.model_copy(update={"open_timeout_s": 1.0}))

    async def mute(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        pass

    async with serving_raw(mute) as port:
        assert await refused_by(transport, f"ws://127.0.0.1:{port}") == "timed_out"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"this is not HTTP\r\n\r\n",
    ],
)
async def test_answers_that_are_no_upgrade(transport: Transport, answer: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.write_eof()

    async with serving_raw(handler) as port:
        assert await refused_by(transport, f"ws://127.0.0.1:{port}") == "not_a_websocket"
