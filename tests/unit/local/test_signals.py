"""The first Ctrl-C asks, the second insists; in an event loop it is not the task that has its turn which ends."""

import asyncio
import os
import signal

import pytest

from deploy.local.signals import Interrupted, interruptible


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_interrupts_and_the_second_insists() -> None:
    insisted: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    with interruptible(lambda: insisted.append(1)):
        with pytest.raises(Interrupted):
            ctrl_c()
        assert insisted == []
        ctrl_c()
        assert insisted == [1]
    assert signal.getsignal(signal.SIGINT) is before


async def test_in_an_event_loop_the_task_that_counts_is_cancelled() -> None:
    async def is_ended_by_others() -> None:
        await asyncio.Event().wait()

    async def has_its_turn() -> str:
        ctrl_c()
        return "went on"

    counts, loop = asyncio.create_task(is_ended_by_others()), asyncio.get_running_loop()
    with interruptible(lambda: None, ask=lambda: loop.call_soon_threadsafe(counts.cancel)):
        assert await asyncio.create_task(has_its_turn()) == "went on"
        with pytest.raises(asyncio.CancelledError):
            await counts
