"""A live session follows its stream to where Zoom announces it."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from connectors.host.clock import SystemClock
from ingest.live import LiveSession
from ingest.publisher import Identity, Publisher
from schemas import topics
from schemas.codec import Codec
from tests.unit.ingest.producers import TakingProducer
from tests.unit.ingest.test_worker import REQUEST, SESSION

FIRST, SECOND = ("wss://rtms1.zoom.us", "wss://rtms1b.zoom.us"), ("wss://rtms2.zoom.us",)


def at(server_urls):
    return replace(SESSION, request=replace(REQUEST, server_urls=server_urls))


class EndlessSession:
    """A stream that never ends and remembers where it was sent."""

    def __init__(self):
        self.moves = []
        self.ran = False

    async def run(self):
        self.ran = True
        await asyncio.get_running_loop().create_future()

    def reconnect(self, server_urls):
        self.moves.append(server_urls)


class Factory:
    """Makes sessions once `open` is set, and knows for which addresses."""

    def __init__(self):
        self.asked, self.made = [], []
        self.open = asyncio.Event()

    async def __call__(self, state, on_event):
        self.asked.append(state.request.server_urls)
        await self.open.wait()
        self.made.append(EndlessSession())
        return self.made[-1]


@pytest.fixture
async def begun():
    factory = Factory()
    producers = {topic.name: TakingProducer() for topic in topics.MEDIA_TOPICS}
    publisher = Publisher(Identity("app_1", 3, 7), Codec.with_ids_from(topics.ALL), producers, 1_000_000)
    around = SimpleNamespace(create_session=factory, letters=None, clock=SystemClock(), hand_over_s=1.0)
    live = LiveSession(publisher, at(FIRST), around)
    running = asyncio.create_task(live.run())
    yield live, factory
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_second_announcement_with_the_same_addresses_is_ignored_and_one_with_new_ones_followed(begun):
    live, factory = begun
    factory.open.set()
    await settle()
    live.follow(at(FIRST[::-1]))
    assert factory.made[0].moves == []
    live.follow(at(SECOND))
    live.follow(at(SECOND))
    live.follow(at(FIRST))
    assert factory.made[0].moves == [SECOND, FIRST]


async def test_addresses_that_change_while_the_credentials_are_awaited_are_the_ones_connected_to(begun):
    live, factory = begun
    await settle()
    live.follow(at(SECOND))
    factory.open.set()
    await settle()
    assert factory.asked == [FIRST, SECOND]
    live.follow(at(FIRST))
    assert [made.moves for made in factory.made] == [[], [FIRST]]


async def finish(live):
    await live.finish(close_stream=True)


async def hand_over(live):
    await live.hand_over()


async def let_go(live):
    live.let_go()


@pytest.mark.parametrize("leave", [finish, hand_over, let_go])
async def test_who_is_left_while_the_credentials_are_awaited_opens_no_socket_when_they_come(begun, leave):
    live, factory = begun
    await settle()
    await leave(live)
    factory.open.set()
    await settle()
    assert [made.ran for made in factory.made] == [False]
