"""Decides which inputs to pause, because they lead so far that what they hold open would fill the memory.

A window over two topics waits for the slower one, so the faster one's records pile up. Pausing it bounds that. But the
slower one must go on by all means: two sessions of one partition may lead in opposite directions, and pausing both
topics would stop them for ever. So the bound is soft: when both hold too much, both run.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from processors.checkpoint.assignments import Input


def paused_inputs(held_bytes: Mapping[Input, int], clocks: Collection[str], limit_bytes: int) -> set[Input]:
    """The inputs over the limit of partitions where another clock is below it."""
    return {
        leader
        for inputs in _by_partition(held_bytes, clocks)
        for leader in inputs
        if held_bytes.get(leader, 0) > limit_bytes and any(held_bytes.get(i, 0) <= limit_bytes for i in inputs)
    }


def resumable_inputs(
    paused: Collection[Input], held_bytes: Mapping[Input, int], clocks: Collection[str], limit_bytes: int
) -> set[Input]:
    """The paused inputs that hold less than half of the limit again, or whose slower twin is over it too."""
    full = {
        leader
        for inputs in _by_partition(held_bytes, clocks)
        for leader in inputs
        if all(held_bytes.get(other, 0) > limit_bytes for other in inputs if other != leader)
    }
    return {source for source in paused if held_bytes.get(source, 0) * 2 < limit_bytes or source in full}


def overfull_partitions(held_bytes: Mapping[Input, int], clocks: Collection[str], limit_bytes: int) -> int:
    """How many partitions hold more than the limit in every input."""
    groups = _by_partition(held_bytes, clocks)
    return sum(all(held_bytes.get(source, 0) > limit_bytes for source in inputs) for inputs in groups)


def _by_partition(held_bytes: Mapping[Input, int], clocks: Collection[str]) -> list[list[Input]]:
    partitions: dict[int, list[Input]] = defaultdict(list)
    for partition in sorted({source.partition for source in held_bytes}):
        partitions[partition] = [Input(topic, partition) for topic in clocks]
    return list(partitions.values())
