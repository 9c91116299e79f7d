"""TLS is always verified, whichever library does it."""

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import ServerConnection

from connectors.rtms.settings import ZoomSettings
from connectors.rtms.transport.choice import create_transport
from connectors.rtms.transport.sockets import Transport, TransportOptions
from tests.support.websocket_peers import Recorder, refused_by, serving


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
