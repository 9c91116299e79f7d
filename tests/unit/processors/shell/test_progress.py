"""When a processor's worker says that it is alive, and when that it is ready."""

import asyncio

import pytest
from faust.types import TP

from processors.shell.inputs import Unattended
from processors.shell.worker import UNASSIGNED_PATIENCE_S
from tests.support.processes import PATIENCE_S
from tests.support.toy_processor import ToyLogic
from tests.support.worker_bench import CAPTIONS_0, Bench, until


async def test_a_worker_that_is_never_given_partitions_is_not_alive_for_ever():
    bench = Bench()
    assert bench.worker._is_moving()
    bench.clock.seconds += UNASSIGNED_PATIENCE_S
    assert not bench.worker._is_moving()


async def test_a_client_that_is_at_its_end_ends_the_process():
    """Without partitions nobody would notice for minutes, and only where liveness is asked for."""
    bench = Bench()
    bench.inputs.error = Unattended("over")
    running = asyncio.create_task(bench.worker.run())
    assert await asyncio.wait_for(bench.worker.failure, PATIENCE_S) is bench.inputs.error
    await running


async def test_liveness_is_progress():
    bench = await Bench(stalled_s=10).assign()
    assert bench.worker._is_moving()
    bench.inputs.log_ends[CAPTIONS_0] = 1
    bench.clock.seconds += 11
    assert not bench.worker._is_moving()
    await bench.caption(0)
    assert bench.worker._is_moving()


async def stands_still(bench: Bench) -> bool:
    """Whether it is noticed within two times the patience, round by round, that nothing of what there is comes."""
    for _ in range(40):
        bench.clock.seconds += 0.5
        await bench.worker.checkpoint()
        if not bench.worker._is_moving():
            return True
    return False


async def test_what_is_to_be_repeated_and_never_comes_is_no_progress() -> None:
    bench = await Bench(stalled_s=10).assign()
    bench.inputs.log_ends[CAPTIONS_0] = 1
    assert await stands_still(bench)
    assert ("pause", CAPTIONS_0) in bench.inputs.diary


async def test_what_kafka_does_not_answer_is_waited_for() -> None:
    bench = await Bench(stalled_s=10).assign()
    bench.inputs.log_ends[CAPTIONS_0] = 1
    bench.inputs.is_away = True
    assert not await stands_still(bench)
    bench.inputs.is_away = False
    assert await stands_still(bench)


async def test_a_rebalance_while_dead_letters_are_written_does_not_end_the_checkpoints() -> None:
    bench = await Bench().assign()
    never = asyncio.Event()

    async def refuse(*_arguments: object) -> None:
        await never.wait()

    bench.outbox.refuse = refuse
    await bench.deliver(CAPTIONS_0, 0, b"garbage")
    writing = asyncio.create_task(bench.worker._letters_written())
    await asyncio.sleep(0)
    await bench.worker.on_assigned(None, {TP(topic, 0) for topic in ToyLogic.topics})
    await asyncio.wait_for(writing, PATIENCE_S)


@pytest.mark.parametrize("partitions", [(), (0,), (0, 3)])
async def test_readiness_is_a_loaded_assignment_however_small(partitions):
    bench = Bench()
    assert not bench.health.is_ready()
    await bench.worker.on_assigned(None, {TP(topic, p) for topic in ToyLogic.topics for p in partitions})
    await until(bench.health.is_ready)
    assert bench.states.loads == 1
