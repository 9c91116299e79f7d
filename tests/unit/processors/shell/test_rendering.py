"""What becomes of a window that cannot be rendered or written: put aside where nobody could, else the process ends."""

import asyncio

import pytest

from connectors.kafka.errors import DeliveryFailed, RecordTooLarge
from tests.support.processes import PATIENCE_S
from tests.support.worker_bench import CAPTIONS_0, Bench, until


async def test_a_failed_write_ends_the_process():
    bench = await Bench().assign()
    bench.outbox.error = DeliveryFailed("gone")
    await bench.caption(0)
    assert await asyncio.wait_for(bench.worker.failure, PATIENCE_S) is bench.outbox.error


@pytest.mark.parametrize("fault", [ValueError("no"), KeyError("no"), AssertionError()])
async def test_a_window_that_nobody_can_render_is_put_aside_and_the_rest_goes_on(fault: Exception):
    bench = await Bench().assign()
    bench.application.faults = [fault]
    for offset in range(3):
        await bench.caption(offset)
    await until(lambda: len(bench.written) == 2 and not bench.worker._rendering._tasks)
    await bench.worker.checkpoint()
    ((place, offset, reason),) = bench.outbox.refused
    assert (place, offset, reason) == (("toy", 0), 0, f"{type(fault).__name__} while rendering")
    assert bench.inputs.offsets[CAPTIONS_0] == 3


async def test_an_output_that_no_record_can_hold_is_put_aside_and_the_rest_goes_on():
    bench = await Bench().assign()
    bench.outbox.errors = [RecordTooLarge("16 MiB")]
    for offset in range(2):
        await bench.caption(offset)
    await until(lambda: bench.written and not bench.worker._rendering._tasks)
    await bench.worker.checkpoint()
    assert [reason for _, _, reason in bench.outbox.refused] == ["RecordTooLarge for transcripts"]
    assert bench.inputs.offsets[CAPTIONS_0] == 2


async def test_what_another_process_could_render_ends_this_one():
    bench = await Bench().assign()
    bench.application.faults = [MemoryError()]
    await bench.caption(0)
    await until(bench.worker.failure.done)
    assert bench.outbox.refused == []
