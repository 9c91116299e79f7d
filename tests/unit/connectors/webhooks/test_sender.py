"""Posting to receivers of every kind, over real sockets."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from connectors.webhooks.sender import EXCERPT_BYTES, Sender
from connectors.webhooks.targets import TargetPolicy

LOCAL = TargetPolicy(allow_loopback=True)


@asynccontextmanager
async def receiver(answer, seen=None):
    """A server that answers every request with these bytes, or not at all."""

    async def serve(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().splitlines() if b"content-length" in line)
            body = await reader.readexactly(length)
            if seen is not None:
                seen.append((head, body))
            if answer is None:
                await reader.read()  # until the other side gives up
            writer.write(answer or b"")
        except asyncio.IncompleteReadError:
            pass  # a greeting of TLS
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=b"
    finally:
        server.close()


async def sent(url, policy=LOCAL, timeout_s=60.0):
    sender = Sender(policy, timeout_s, connections=4)
    try:
        return await sender.post(url, b'{"a":1}', {"Content-Type": "application/json", "X-Webhook-Signature": "s"})
    finally:
        await sender.close()


def response(status, body=b"", more=b""):
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), more, body)


async def test_body_and_headers_arrive_and_the_answer_comes_back():
    seen = []
    async with receiver(response(202, b"thanks"), seen) as url:
        answer = await sent(url)
    assert (answer.status_code, answer.error, answer.excerpt) == (202, None, "thanks")
    [(head, body)] = seen
    assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert b"x-webhook-signature: s" in head.lower()
    assert body == b'{"a":1}'


async def test_a_redirect_is_an_answer_and_not_followed():
    seen = []
    async with receiver(response(302, more=b"Location: http://127.0.0.1:1/\r\n"), seen) as url:
        assert (await sent(url)).status_code == 302
    assert len(seen) == 1


async def test_only_the_beginning_of_an_answer_is_read():
    async with receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 100_000) as url:
        answer = await sent(url)
    assert answer.excerpt == "x" * EXCERPT_BYTES


async def test_who_does_not_answer_in_time():
    async with receiver(None) as url:
        assert (await sent(url, timeout_s=0.2)).error == "timeout"


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
async def test_an_answer_that_is_none(answer):
    async with receiver(answer) as url:
        assert (await sent(url)).error == "connection_failed"


async def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert (await sent(f"http://127.0.0.1:{port}/")).error == "connection_failed"
    assert (await sent("https://name.invalid/")).error == "connection_failed"


async def test_a_receiver_without_tls_behind_https():
    def plain(_reader, writer):
        writer.write(response(400))
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        answer = await sent(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert answer.error == "tls_failed"


async def test_a_name_is_judged_by_the_address_that_is_connected_to(monkeypatch):
    """The name is fine when it is given, and points into our house when it is used."""
    seen = []
    async with receiver(response(200), seen) as url:
        port = int(url.split(":")[2].split("/")[0])

        async def rebound(_loop, host, port_asked, **_named):
            assert host == "public.example"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", rebound)
        answer = await sent(f"https://public.example:{port}/", policy=TargetPolicy())
    assert answer.error == "target_not_allowed"
    assert seen == []


async def test_an_address_that_may_not_be_called_is_not():
    async with receiver(response(200)) as url:
        assert (await sent(url, policy=TargetPolicy())).error == "target_not_allowed"
