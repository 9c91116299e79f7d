"""Which connections are used again, over real sockets."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from connectors.webhooks.sender import EXCERPT_BYTES, Sender
from connectors.webhooks.targets import TargetPolicy

HEARD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nheard"


class Receiver:
    """Keeps its connections: `opened` so many, and `open` are now. Answers when `let` is set."""

    def __init__(self):
        self.answer, self.opened, self.open, self.let = HEARD, 0, set(), asyncio.Event()
        self.let.set()
        self.url = ""

    async def serve(self, reader, writer):
        self.opened += 1
        self.open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                await self.let.wait()
                writer.write(self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


@asynccontextmanager
async def receiving():
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def sender():
    """Keeps four."""
    made = Sender(TargetPolicy(allow_loopback=True), timeout_s=60.0, connections=16)
    yield made
    await made.close()


async def sent(sender, *receivers):
    """What was answered to one request to each, all at once."""
    return [a.status_code for a in await asyncio.gather(*(sender.post(r.url, b"{}", {}) for r in receivers))]


async def at_once(sender, receiver, requests):
    """Answered only when all are there."""
    receiver.let.clear()
    under_way = asyncio.ensure_future(sent(sender, *[receiver] * requests))
    await until(lambda: len(receiver.open) == requests)
    receiver.let.set()
    return await under_way


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  it has no event of its own
            await asyncio.sleep(0.001)


async def test_a_connection_is_used_again(sender, receiver):
    for _ in range(3):
        assert await sent(sender, receiver) == [200]
    assert receiver.opened == 1
    for _ in range(2):
        assert await at_once(sender, receiver, 3) == [200] * 3
    assert receiver.opened == 3


async def test_each_receiver_has_its_own(sender, receiver):
    async with receiving() as other:
        for _ in range(2):
            assert await sent(sender, receiver, other) == [200, 200]
        assert (receiver.opened, other.opened) == (1, 1)


async def test_no_more_are_kept_than_said_whoever_they_belong_to(sender, receiver):
    async with receiving() as other:
        await sent(sender, other)
        assert await at_once(sender, receiver, 6) == [200] * 6
        await until(lambda: (len(receiver.open), len(other.open)) == (4, 0))
        await sent(sender, other)
        await until(lambda: (len(receiver.open), len(other.open)) == (3, 1))


async def test_none_is_kept_for_too_long(monkeypatch, receiver):
    monkeypatch.setattr("connectors.webhooks.sender.KEEP_S", 0.0)
    sender = Sender(TargetPolicy(allow_loopback=True), timeout_s=60.0, connections=16)
    for opened in (1, 2):
        assert await sent(sender, receiver) == [200]
        await until(lambda: not receiver.open)
        assert receiver.opened == opened
    await sender.close()


async def test_what_the_receiver_has_closed_meanwhile_is_not_used(sender, receiver):
    await sent(sender, receiver)
    [held] = receiver.open
    held.close()
    await held.wait_closed()
    assert await sent(sender, receiver) == [200]
    assert receiver.opened == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nheard",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * EXCERPT_BYTES,
        b"nonsense\r\n\r\n",
    ],
)
async def test_what_is_not_over_or_is_to_be_the_last_is_closed(sender, receiver, answer):
    receiver.answer = answer
    await sent(sender, receiver)
    await until(lambda: not receiver.open)
    receiver.answer = HEARD
    assert await sent(sender, receiver) == [200]


async def test_a_request_that_is_broken_off_takes_its_connection_with_it(sender, receiver):
    receiver.let.clear()
    under_way = asyncio.ensure_future(sent(sender, receiver))
    await until(lambda: receiver.open)
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    receiver.let.set()
    await until(lambda: not receiver.open)
    assert await sent(sender, receiver) == [200]


async def test_none_is_left_at_the_end(sender, receiver):
    await at_once(sender, receiver, 3)
    await sender.close()
    await until(lambda: not receiver.open)
