"""One suite for both WebSocket libraries, against a real server on this machine."""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import ServerConnection, serve

from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.choice import create_transport
from connectors.rtms.transport.sockets import ConnectFailed, Transport, TransportOptions

LIMIT_BYTES = 1024 * 1024
PATIENCE_S = 5.0

Handler = Callable[[ServerConnection], Awaitable[None]]


class Recorder:
    """A listener that keeps what it hears and lets tests wait for it."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.changed = asyncio.Event()

    def on_message(self, data: bytes) -> None:
        self._keep(data)

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
        return await self.until(lambda heard: bool(heard) and isinstance(heard[-1], tuple))


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


@pytest.fixture(params=["picows", "websockets"])
def settings(request: pytest.FixtureRequest) -> ZoomSettings:
    return ZoomSettings(transport=request.param, max_message_bytes=LIMIT_BYTES, open_timeout_s=1.0, close_timeout_s=0.3)


@pytest.fixture
def transport(settings: ZoomSettings) -> Transport:
    return create_transport(settings)


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


@pytest.mark.parametrize("fragmented", [False, True])
async def test_a_message_over_the_limit_closes_the_socket(transport: Transport, fragmented: bool) -> None:
    async def handler(connection: ServerConnection) -> None:
        half = b"x" * (LIMIT_BYTES // 2 + 1)
        with contextlib.suppress(Exception):
            await connection.send([half, half] if fragmented else half + half)
        await connection.wait_closed()

    async with serving(handler) as url:
        ears = Recorder()
        await transport.connect(url, ears)
        heard = await ears.until_closed()
        assert len(heard) == 1


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


async def test_a_peer_that_never_answers_the_close_is_cut_off(transport: Transport) -> None:
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


async def answer_upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    from websockets.utils import accept_key

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


async def test_nobody_listening(transport: Transport, free_port: int) -> None:
    assert await refused_by(transport, f"ws://127.0.0.1:{free_port}") == "connection_refused"


async def test_a_name_that_does_not_resolve(transport: Transport) -> None:
    assert await refused_by(transport, "ws://no-such-host.invalid:9") == "unreachable"


async def test_a_server_that_never_answers_the_upgrade(transport: Transport) -> None:
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


# --- TLS ------------------------------------------------------------------------------------------------------------


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """A self-signed certificate for `host`; (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.SubjectAlternativeName(
        [x509.DNSName(host) if host == "localhost" else x509.IPAddress(__import__("ipaddress").ip_address(host))]
    )
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(subject, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    crt, pem = folder / "crt.pem", folder / "key.pem"
    crt.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return crt, pem


@pytest.fixture
def tls_server(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[ssl.SSLContext, Path]:
    crt, pem = certificate(tmp_path, getattr(request, "param", "127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, pem)
    return context, crt


async def _echo(connection: ServerConnection) -> None:
    await connection.send(await connection.recv())
    await connection.wait_closed()


async def test_tls_with_an_authority_that_is_trusted(
    settings: ZoomSettings, tls_server: tuple[ssl.SSLContext, Path]
) -> None:
    context, ca_file = tls_server
    trusting = create_transport(settings.model_copy(update={"ca_file": ca_file}))
    async with serving(_echo, context) as url:
        ears = Recorder()
        socket = await trusting.connect(url, ears)
        socket.send(b"hello")
        assert await ears.until(lambda heard: bool(heard)) == [b"hello"]
        socket.abort()


async def test_tls_with_an_unknown_authority(transport: Transport, tls_server: tuple[ssl.SSLContext, Path]) -> None:
    async with serving(_echo, tls_server[0]) as url:
        assert await refused_by(transport, url) == "certificate_not_trusted"


@pytest.mark.parametrize("tls_server", ["localhost"], indirect=True)
async def test_tls_with_a_certificate_for_another_name(
    settings: ZoomSettings, tls_server: tuple[ssl.SSLContext, Path]
) -> None:
    context, ca_file = tls_server
    trusting = create_transport(settings.model_copy(update={"ca_file": ca_file}))
    async with serving(_echo, context) as url:
        assert await refused_by(trusting, url) == "certificate_not_trusted"


async def test_tls_where_there_is_none(transport: Transport) -> None:
    async with serving(_echo) as url:
        assert await refused_by(transport, url.replace("ws://", "wss://")) in ("tls_failed", "connection_lost")


def test_options_are_strict_by_default() -> None:
    context = ZoomSettings().tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert TransportOptions(context).max_message_bytes >= 16 * 1024 * 1024


@pytest.fixture
async def free_port() -> int:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return port
