"""Decides which inputs to pause, because they lead so far that what they hold open would fill the memory.

A window over two topics waits for the slower one, so the faster one's records pile up. Pausing it bounds that. Only
what waits for the other counts: what waits for its own topic to go on would wait for ever. And the slower one must go
on by all means: two sessions of one partition may lead in opposite directions, and pausing both topics would stop both.
So the bound is soft: when both lead too far, both run.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from processors.checkpoint.assignments import Input


def paused_inputs(leading_bytes: Mapping[Input, int], clocks: Collection[str], limit_bytes: int) -> set[Input]:
    """The inputs that lead too far, of partitions where another clock does not."""
    return {
        leader
        for inputs in _by_partition(leading_bytes, clocks)
        for leader in inputs
        if leading_bytes.get(leader, 0) > limit_bytes and any(leading_bytes.get(i, 0) <= limit_bytes for i in inputs)
    }


def resumable_inputs(
    paused: Collection[Input], leading_bytes: Mapping[Input, int], clocks: Collection[str], limit_bytes: int
) -> set[Input]:
    """The paused inputs that lead by less than half of the limit again, or whose twin leads too far as well."""
    full = {
        leader
        for inputs in _by_partition(leading_bytes, clocks)
        for leader in inputs
        if all(leading_bytes.get(other, 0) > limit_bytes for other in inputs if other != leader)
    }
    return {source for source in paused if leading_bytes.get(source, 0) * 2 < limit_bytes or source in full}


def overfull_partitions(leading_bytes: Mapping[Input, int], clocks: Collection[str], limit_bytes: int) -> int:
    """In how many partitions every input leads too far."""
    groups = _by_partition(leading_bytes, clocks)
    return sum(all(leading_bytes.get(source, 0) > limit_bytes for source in inputs) for inputs in groups)


def _by_partition(leading_bytes: Mapping[Input, int], clocks: Collection[str]) -> list[list[Input]]:
    partitions: dict[int, list[Input]] = defaultdict(list)
    for partition in sorted({source.partition for source in leading_bytes}):
        partitions[partition] = [Input(topic, partition) for topic in clocks]
    return list(partitions.values())
