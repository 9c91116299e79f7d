"""An input is rewound in another thread, which takes a moment: what comes meanwhile counts for nothing."""

import asyncio

from tests.support.worker_bench import CAPTIONS_0, Bench, until


async def test_what_comes_while_an_input_is_rewound_is_left_out():
    bench = await Bench().assign()
    bench.inputs.may_rewind.clear()
    await bench.caption(3)
    closing = asyncio.create_task(bench.worker.checkpoint())
    await until(lambda: len(bench.flow) == 2)
    await bench.caption(0)
    bench.inputs.may_rewind.set()
    await closing
    await bench.caption(0)
    await until(lambda: bench.written)
    assert bench.flow == [("pause", CAPTIONS_0), ("rewind", CAPTIONS_0, 0), ("resume", CAPTIONS_0)]
    assert len(bench.written) == 1


async def test_an_input_that_is_taken_away_while_it_is_rewound_is_not_resumed():
    bench = await Bench().assign()
    bench.inputs.may_rewind.clear()
    await bench.caption(3)
    closing = asyncio.create_task(bench.worker.checkpoint())
    await until(lambda: len(bench.flow) == 2)
    bench.inputs.generation = 2
    await bench.assign()
    bench.inputs.may_rewind.set()
    await closing
    assert bench.flow == [("pause", CAPTIONS_0), ("rewind", CAPTIONS_0, 0)]
    await bench.caption(0, generation=2)
    await until(lambda: bench.written)
