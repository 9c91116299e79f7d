"""Records are delivered directly where there is room, and a full buffer still gives way to a rebalance."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from faust.types import TopicT

from connectors.kafka.settings import KafkaSettings
from processors.settings import ProcessorsSettings
from processors.shell.delivery import IN_A_ROW, DirectConsumer
from processors.shell.faust_app import create_app
from tests.support.processes import PATIENCE_S


class Delivering:
    """An app's consumer and its agent's buffer."""

    def __init__(self, size: int = 2) -> None:
        settings = ProcessorsSettings(buffered_records=size)
        self.app = create_app("toy", settings, KafkaSettings(bootstrap_servers="a:9092"))
        self.buffer: TopicT = self.app.topic("rtms.audio", maxsize=size)
        self.app.topics.add(self.buffer)
        self.app.flow_control.resume()
        assert isinstance(self.app.consumer, DirectConsumer)
        self.consumer = self.app.consumer
        self.suspend = asyncio.Event()
        self.tasks = 0

    async def put(self, item: object) -> None:
        self.tasks = len(asyncio.all_tasks())
        await self.buffer.queue.put(item)

    async def deliver(self, item: object) -> None:
        await self.consumer.wait_first(self.put(item), self.suspend.wait())

    @property
    def held(self) -> list[object]:
        return list(self.buffer.queue._queue)

    def close(self) -> None:
        self.consumer._thread.thread_loop.close()  # of the thread that is never started here


@pytest.fixture
async def delivering() -> AsyncIterator[Delivering]:
    delivering = Delivering()
    yield delivering
    delivering.close()


@pytest.fixture
async def roomy() -> AsyncIterator[Delivering]:
    delivering = Delivering(1_000)
    yield delivering
    delivering.close()


async def test_where_there_is_room_no_task_is_made(delivering: Delivering) -> None:
    tasks = len(asyncio.all_tasks())
    await delivering.deliver("a")
    assert (delivering.held, delivering.tasks) == (["a"], tasks)


async def test_others_get_their_turn_after_a_few_records_however_much_room_there_is(roomy: Delivering) -> None:
    assert IN_A_ROW <= 16
    turns: list[str] = []
    for _ in range(3):
        await roomy.deliver("first of a row, after the turn")
        turns.clear()
        asyncio.get_running_loop().call_soon(turns.append, "turn")
        for number in range(IN_A_ROW - 1):
            await roomy.deliver(number)
            assert turns == []
    await roomy.deliver("after the turn")
    assert turns == ["turn"]


async def test_a_buffer_that_somebody_overfilled_is_waited_for_and_used_again(delivering: Delivering) -> None:
    await delivering.deliver("a")
    for item in "bcd":
        delivering.buffer.queue.force_put_nowait(item)
    asyncio.get_running_loop().call_soon(delivering.buffer.queue.get_nowait)
    waiting = asyncio.create_task(delivering.deliver("e"))
    while not waiting.done():
        await asyncio.sleep(0)
        delivering.buffer.queue.get_nowait()
    await delivering.deliver("f")
    assert delivering.held == ["e", "f"]


async def test_a_full_buffer_gives_the_agent_its_turn_first(delivering: Delivering) -> None:
    """What is taken out then makes room, and nothing has to be waited for."""
    await delivering.deliver("a")
    await delivering.deliver("b")
    asyncio.get_running_loop().call_soon(delivering.buffer.queue.get_nowait)
    tasks = len(asyncio.all_tasks())
    await delivering.deliver("c")
    assert (delivering.held, delivering.tasks) == (["b", "c"], tasks)


async def test_a_full_buffer_gives_way_to_a_rebalance(delivering: Delivering) -> None:
    await delivering.deliver("a")
    await delivering.deliver("b")
    waiting = asyncio.create_task(delivering.deliver("c"))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    delivering.suspend.set()
    await asyncio.wait_for(waiting, PATIENCE_S)
    assert delivering.held == ["a", "b"]


async def test_a_full_buffer_is_waited_for(delivering: Delivering) -> None:
    await delivering.deliver("a")
    await delivering.deliver("b")
    waiting = asyncio.create_task(delivering.deliver("c"))
    await asyncio.sleep(0.01)
    assert delivering.buffer.queue.get_nowait() == "a"
    await asyncio.wait_for(waiting, PATIENCE_S)
    assert delivering.held == ["b", "c"]


async def test_while_the_flow_stands_a_rebalance_is_not_held_up(delivering: Delivering) -> None:
    delivering.app.flow_control.suspend()
    delivering.suspend.set()

    async def blocked() -> None:
        await delivering.app.flow_control.acquire()

    await asyncio.wait_for(delivering.consumer.wait_first(blocked(), delivering.suspend.wait()), PATIENCE_S)


async def test_what_fails_is_told(delivering: Delivering) -> None:
    async def failing() -> None:
        raise ValueError("no such partition")

    with pytest.raises(ValueError, match="no such partition"):
        await delivering.consumer.wait_first(failing(), delivering.suspend.wait())
