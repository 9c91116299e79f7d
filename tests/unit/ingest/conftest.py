"""A worker whose log of facts and live sessions do what the test says."""

import asyncio

import pytest

from connectors.kafka.errors import DeliveryFailed
from ingest.ownership import Deadlines
from ingest.worker import Worker
from tests.support.processes import PATIENCE_S


class LogOfFacts:
    """Takes facts as Kafka does: each gets the next offset, once `open` is set."""

    def __init__(self):
        self.stated = []
        self.others = 100
        self.open = asyncio.Event()
        self.open.set()
        self.failures = 0

    async def state(self, session_id, partition, kind, **fields):
        await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise DeliveryFailed("away")
        self.stated.append((kind, fields))
        return self.others + len(self.stated)

    def kinds(self):
        return [kind for kind, _ in self.stated]


class ScriptedLive:
    """A live session that does what the test says and remembers what was asked of it."""

    def __init__(self, identity, state):
        self.identity, self.state = identity, state
        self.outcome = asyncio.get_running_loop().create_future()
        self.asked = []
        self.followed = []
        self.finished = asyncio.Event()
        self.finished.set()
        self.failure = None

    async def run(self):
        self.asked.append("run")
        return await self.outcome

    async def finish(self, *, close_stream):
        self.asked.append(f"finish close={close_stream}")
        await self.finished.wait()
        if self.failure is not None:
            raise self.failure

    async def hand_over(self):
        self.asked.append("hand_over")

    def follow(self, state):
        self.followed.append(state)

    def announced(self):
        self.asked.append("announced")

    def let_go(self):
        self.asked.append("let_go")


class StillClock:
    def __init__(self):
        self.ms = 0

    def now_ms(self):
        return self.ms


@pytest.fixture
def house():
    class House:
        def __init__(self):
            self.facts, self.lives, self.clock = LogOfFacts(), [], StillClock()
            self.worker = Worker(self.facts, self._create, Deadlines(1000, 1000, 1000, 1000), self.clock)

        def _create(self, identity, state):
            self.lives.append(ScriptedLive(identity, state))
            return self.lives[-1]

        async def settle(self):
            for _ in range(20):
                await asyncio.sleep(0)

        async def until(self, condition):
            """For what takes time and not only turns of the loop."""
            async with asyncio.timeout(PATIENCE_S):
                while not condition():  # noqa: ASYNC110  it has no event of its own
                    await asyncio.sleep(0.001)

    return House
