"""What is recognised at the same time is written one after the other."""

import asyncio

import pytest

from processors.transcription.lanes import Lanes


async def written(lanes: Lanes, out: list[str], lane: str, name: str, until: asyncio.Event) -> None:
    async with lanes.entered(lane) as turn:
        await until.wait()
        await turn()
        out.append(name)


async def started(*work: asyncio.Task[None]) -> None:
    for _ in work:
        await asyncio.sleep(0)


async def test_who_is_ready_first_waits_for_those_before() -> None:
    lanes, out, ready = Lanes(), list[str](), [asyncio.Event() for _ in range(3)]
    tasks = [asyncio.create_task(written(lanes, out, "a", str(n), event)) for n, event in enumerate(ready)]
    other = asyncio.create_task(written(lanes, out, "b", "other", ready[2]))
    await started(*tasks, other)
    ready[2].set()
    await other
    assert out == ["other"]
    ready[1].set()
    await started(*tasks)
    assert out == ["other"]
    ready[0].set()
    await asyncio.gather(*tasks)
    assert out == ["other", "0", "1", "2"]
    assert not lanes._last


async def test_a_fault_in_the_middle_lets_nobody_pass() -> None:
    lanes, out, first = Lanes(), list[str](), asyncio.Event()

    async def faulty() -> None:
        async with lanes.entered("a"):
            raise ValueError

    before = asyncio.create_task(written(lanes, out, "a", "0", first))
    await started(before)
    middle = asyncio.create_task(faulty())
    await started(middle)
    always = asyncio.Event()
    always.set()
    after = asyncio.create_task(written(lanes, out, "a", "2", always))
    await started(middle, after, after)
    assert out == []
    first.set()
    await asyncio.gather(before, after)
    assert out == ["0", "2"]
    with pytest.raises(ValueError, match="^$"):
        await middle


async def test_all_of_a_lane_may_be_cancelled_and_the_last_leaves_first() -> None:
    lanes, never, slow = Lanes(), asyncio.Event(), asyncio.Event()

    async def leaving_slowly() -> None:
        async with lanes.entered("a"):
            try:
                await never.wait()
            finally:
                await slow.wait()

    first = asyncio.create_task(leaving_slowly())
    last = asyncio.create_task(written(lanes, [], "a", "last", never))
    await started(first, last)
    for task in (first, last):
        task.cancel()
    await asyncio.wait([last])
    slow.set()
    assert [type(one) for one in await asyncio.gather(first, last, return_exceptions=True)] == 2 * [
        asyncio.CancelledError
    ]
    assert not lanes._last


async def test_who_is_cancelled_holds_nobody_up() -> None:
    lanes, out, never = Lanes(), list[str](), asyncio.Event()
    gone = asyncio.create_task(written(lanes, out, "a", "gone", never))
    await started(gone)
    ready = asyncio.Event()
    ready.set()
    after = asyncio.create_task(written(lanes, out, "a", "after", ready))
    await started(after)
    gone.cancel()
    await after
    assert out == ["after"]
