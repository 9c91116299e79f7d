"""The agent hands on what its buffer holds: in order, a few records in one turn of the event loop, and no more."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from faust.types import TP, Message

from connectors.kafka.settings import KafkaSettings
from processors.settings import ProcessorsSettings
from processors.shell.delivery import IN_A_ROW
from processors.shell.faust_app import ProcessorApp, add_agent, create_app
from tests.support.processes import PATIENCE_S

TOPIC = "rtms.audio"


class Taking:
    """An app whose agent takes what is put into its buffer; `turns` says how often others had theirs before each."""

    def __init__(self) -> None:
        self.app: ProcessorApp = create_app("toy", ProcessorsSettings(), KafkaSettings(bootstrap_servers="a:9092"))
        self.taken: list[tuple[bytes, bytes | None, int]] = []
        self.turns: list[int] = []
        self._turn = 0
        self.revoked_at: int | None = None
        add_agent(self.app, (TOPIC,), self._take)
        (self.agent,) = self.app.agents.values()
        self.stream = self.app.stream(self.agent.channel)
        self.app.flow_control.resume()

    async def put(self, offset: int, value: bytes | None = b"value") -> None:
        now = self.app.consumer_generation_id
        message = Message(TOPIC, 0, offset, 0.0, 0, None, b"key", value, None, tp=TP(TOPIC, 0), generation_id=now)
        buffer = self.stream.channel
        buffer.queue.put_nowait(await buffer.decode(message, propagate=True))

    async def run_until(self, count: int) -> None:
        agent = asyncio.create_task(self.agent.fun(self.stream))
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(self.taken) < count:
                    self._turn += 1
                    await asyncio.sleep(0)
        finally:
            agent.cancel()
            (ended,) = await asyncio.gather(agent, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended

    async def _take(self, message: Message) -> None:
        self.taken.append((message.key, message.value, message.offset))
        self.turns.append(self._turn)
        if message.offset == self.revoked_at:
            self.app.flow_control.suspend()
            self.app.flow_control.resume()


@pytest.fixture
async def taking() -> AsyncIterator[Taking]:
    taking = Taking()
    yield taking
    taking.app.consumer._thread.thread_loop.close()  # of the thread that is never started here


async def test_bytes_stay_bytes_and_a_tombstone_is_none(taking: Taking) -> None:
    await taking.put(1)
    await taking.put(2, None)
    await taking.run_until(2)
    assert taking.taken == [(b"key", b"value", 1), (b"key", None, 2)]


async def test_what_lies_in_the_buffer_is_taken_in_order_a_few_in_one_turn(taking: Taking) -> None:
    for offset in range(3 * IN_A_ROW):
        await taking.put(offset)
    await taking.run_until(3 * IN_A_ROW)
    assert [offset for _, _, offset in taking.taken] == list(range(3 * IN_A_ROW))
    rows = [taking.turns.count(turn) for turn in sorted(set(taking.turns))]
    assert rows == [IN_A_ROW] * 3


async def test_a_rebalance_may_empty_the_buffer_while_a_record_is_taken(taking: Taking) -> None:
    for offset in range(3):
        await taking.put(offset)
    taking.revoked_at = 0
    await taking.run_until(1)
    await taking.put(7)
    await taking.run_until(2)
    assert [offset for _, _, offset in taking.taken] == [0, 7]
