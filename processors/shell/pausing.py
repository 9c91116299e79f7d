"""Pauses inputs that lead too far, the one way that loses nothing.

Pausing drops what is already fetched, so an input is resumed by rewinding to the next offset to be fed; and whatever
still arrives of a paused one is left out, because it will be delivered again.
"""

from collections.abc import Collection

from connectors.host.logs import get_logger
from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.flow import overfull_partitions, paused_inputs, resumable_inputs
from processors.shell import metrics
from processors.shell.inputs import Inputs

log = get_logger(__name__)


class Pausing:
    """The paused inputs of the present assignment."""

    def __init__(self, inputs: Inputs, clocks: Collection[str], limit_bytes: int) -> None:
        self.paused: set[Input] = set()
        self._inputs = inputs
        self._clocks = clocks
        self._limit_bytes = limit_bytes

    def forget(self) -> None:
        """The assignment is gone, and Faust's pauses with it."""
        self.paused.clear()

    async def update(self, assignment: Assignment) -> None:
        """Pause and resume by how far the inputs lead now."""
        leading = assignment.leading_bytes()
        metrics.OVERFULL.inc(overfull_partitions(leading, self._clocks, self._limit_bytes))
        for source in paused_inputs(leading, self._clocks, self._limit_bytes) - self.paused:
            self.paused.add(source)
            self._inputs.pause(source)
            log.info("input paused", topic=source.topic, partition=source.partition, leading_bytes=leading[source])
        for source in resumable_inputs(self.paused, leading, self._clocks, self._limit_bytes):
            self.paused.discard(source)
            await self._inputs.rewind(source, assignment.next[source])
            self._inputs.resume(source)
            log.info("input resumed", topic=source.topic, partition=source.partition)
        metrics.PAUSED.set(len(self.paused))
