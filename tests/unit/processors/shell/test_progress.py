"""When a processor's worker says that it is alive, and when that it is ready."""

import pytest
from faust.types import TP

from processors.shell.worker import UNASSIGNED_PATIENCE_S
from tests.support.toy_processor import ToyLogic
from tests.support.worker_bench import CAPTIONS_0, Bench, until


async def test_a_worker_that_is_never_given_partitions_is_not_alive_for_ever():
    bench = Bench()
    assert bench.worker._is_moving()
    bench.clock.seconds += UNASSIGNED_PATIENCE_S
    assert not bench.worker._is_moving()


async def test_liveness_is_progress():
    bench = await Bench(stalled_s=10).assign()
    assert bench.worker._is_moving()
    bench.inputs.log_ends[CAPTIONS_0] = 1
    bench.clock.seconds += 11
    assert not bench.worker._is_moving()
    await bench.caption(0)
    assert bench.worker._is_moving()


@pytest.mark.parametrize("partitions", [(), (0,), (0, 3)])
async def test_readiness_is_a_loaded_assignment_however_small(partitions):
    bench = Bench()
    assert not bench.health.is_ready()
    await bench.worker.on_assigned(None, {TP(topic, p) for topic in ToyLogic.topics for p in partitions})
    await until(bench.health.is_ready)
    assert bench.states.loads == 1
