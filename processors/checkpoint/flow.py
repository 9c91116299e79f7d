"""Decides which inputs to pause, because they lead so far that what they hold open would fill the memory.

A window over several topics waits for the slowest one, so the faster ones' records pile up. Pausing those bounds that.
Only what waits for another one counts: what waits for its own topic to go on would wait for ever. And the slower one
must go on by all means: two sessions of one partition may lead in opposite directions, and pausing both topics would
stop both. So whoever is waited for by more than it leads by runs, and the bound is soft.

That never pauses everybody who is waited for: all that leads waits for somebody, so were all of those paused, no less
would be waiting for them, together, than what they lead by, together; one of them would run.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping

from processors.checkpoint.assignments import Input, Leads


def paused_inputs(leads: Leads, limit_bytes: int) -> set[Input]:
    """The inputs that lead too far, and by more than what waits for them."""
    return {
        source for source, size_bytes in leads.ahead.items() if size_bytes > max(limit_bytes, leads.awaiting[source])
    }


def resumable_inputs(paused: Collection[Input], leads: Leads, limit_bytes: int) -> set[Input]:
    """The paused inputs that lead by less than half of the limit again, or by no more than what waits for them."""
    return {
        source
        for source in paused
        if leads.ahead[source] * 2 < limit_bytes or leads.ahead[source] <= leads.awaiting[source]
    }


def overfull_partitions(leading_bytes: Mapping[Input, int], clocks: Collection[str], limit_bytes: int) -> int:
    """In how many partitions every input leads too far."""
    groups = _by_partition(leading_bytes, clocks)
    return sum(all(leading_bytes.get(source, 0) > limit_bytes for source in inputs) for inputs in groups)


def _by_partition(leading_bytes: Mapping[Input, int], clocks: Collection[str]) -> list[list[Input]]:
    partitions: dict[int, list[Input]] = defaultdict(list)
    for partition in sorted({source.partition for source in leading_bytes}):
        partitions[partition] = [Input(topic, partition) for topic in clocks]
    return list(partitions.values())
