"""Keeps the inputs flowing: pauses what leads too far, repeats what was left out, has stated what was deleted unread.

There is one way to interrupt an input that loses nothing: pause it, let what is already fetched drain away (it is left
out), and later rewind to the next offset to be fed and resume. Rewinding an input that flows does not work: Faust takes
the offset that it is just delivering for its position again and drops what lies before it. So a gap is closed in the
same way, at the next round. And because such a drop may be the last thing that happens to an input, one that stands
still although there is more of it is treated like a gap.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping

from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.kafka import lag
from connectors.kafka.errors import Fatal, KafkaError
from connectors.kafka.records import Place
from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.flow import overfull_partitions, paused_inputs, resumable_inputs
from processors.shell import metrics
from processors.shell.inputs import Inputs

log = get_logger(__name__)

DRAIN_S = 1.0
"""After a resume, what still arrives out of order was on its way before it."""

STANDSTILL_S = 5.0
"""When nothing moves, an input with more to read is stuck after this time; while others move it may be queueing, so
it is given QUEUEING_S."""

QUEUEING_S = 30.0


StateLoss = Callable[[Input], Awaitable[None]]
"""States that an input's next records were deleted, and returns when that is acknowledged. Raises KafkaError."""


class Reading:
    """How the inputs of the present assignment are read. `paused` are left out when they are delivered.

    `is_unanswered`: Kafka does not say from where on gaps can be closed, so nobody can wonder that they are not.
    """

    def __init__(
        self, inputs: Inputs, state_loss: StateLoss, clocks: Collection[str], limit_bytes: int, clock: Clock
    ) -> None:
        self._state_loss = state_loss
        self.paused: set[Input] = set()
        self.is_unanswered = False
        self._inputs = inputs
        self._clocks = clocks
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._assignment: Assignment | None = None
        self._gaps: set[Input] = set()
        self._resumed_at: dict[Input, float] = {}
        self._stood_at: dict[Input, tuple[int, float]] = {}
        self._offsets: dict[Input, int] = {}
        self._moved_at = clock.monotonic()
        self._topics: set[str] = set()

    def begin(self, assignment: Assignment) -> None:
        """Faust delivers from the committed offsets on, with nothing paused."""
        self.forget()
        self._assignment = assignment

    def forget(self) -> None:
        """The assignment is gone, and Faust's pauses with it."""
        self._assignment = None
        self.is_unanswered = False
        lag.observe(self._topics, {})
        for kept in (self.paused, self._gaps, self._resumed_at, self._stood_at):
            kept.clear()

    def gap(self, source: Input) -> None:
        """Something was delivered before its turn: have it repeated from there."""
        if self._clock.monotonic() - self._resumed_at.get(source, -DRAIN_S) >= DRAIN_S:
            self.repeat(source)

    def repeat(self, source: Input) -> None:
        """Have the input delivered again from the next offset to be fed."""
        self._gaps.add(source)
        if source not in self.paused:
            self.paused.add(source)
            self._inputs.pause(source)

    def is_behind(self) -> bool:
        """Whether an input has more than was fed, be it that it is to be repeated; not one that leads too far."""
        return any(True for _ in self._behind(self.paused - self._gaps))

    async def update(self, is_busy: bool) -> None:
        """One round. `is_busy`: feeding waits for outputs, so nothing drains and standing still means nothing."""
        assignment = self._assignment
        if assignment is None:
            return
        leads = assignment.leads()
        metrics.OVERFULL.inc(overfull_partitions(leads.ahead, self._clocks, self._limit_bytes))
        resumable = () if is_busy else resumable_inputs(self.paused, leads, self._limit_bytes)
        await self._resume(assignment, resumable)
        if assignment is not self._assignment:
            return
        for source in paused_inputs(leads, self._limit_bytes) - self.paused:
            self.paused.add(source)
            self._inputs.pause(source)
            log.info("input paused", topic=source.topic, partition=source.partition, leading_bytes=leads.ahead[source])
        if not is_busy:
            self._find_standstill()
        metrics.PAUSED.set(len(self.paused))
        self._observe_lag(assignment.next)

    async def state_lost(self, wanted: Mapping[Input, int], starts: Mapping[Input, int]) -> None:
        """State what retention has deleted between the offsets wanted and the first ones that exist.

        Raises:
            KafkaError: not all of it is stated, so nothing may be read on yet.
        """
        for source, offset in wanted.items():
            if starts[source] > offset:
                await self._state_loss(source)
                metrics.LOST.labels(source.topic).inc(starts[source] - offset)
                log.error("input deleted before it was read", topic=source.topic, partition=source.partition,
                          from_offset=offset, to_offset=starts[source])  # fmt: skip

    async def _resume(self, assignment: Assignment, resumable: Collection[Input]) -> None:
        gaps = {source: assignment.next[source] for source in resumable if source in self._gaps}
        try:
            starts = await self._inputs.starts(gaps) if gaps else {}
            await self.state_lost(gaps, starts)
        except Fatal:
            raise
        except KafkaError as error:  # they stay paused until the next round
            self.is_unanswered = True
            log.warning("gaps are not closed yet", reason=str(error))
            return
        self.is_unanswered = False
        if assignment is not self._assignment:
            return
        for source in resumable:
            offset = max(assignment.next[source], starts.get(source, 0))
            await self._inputs.rewind(source, offset)  # what is delivered meanwhile is left out, for it is still paused
            if assignment is not self._assignment:
                return
            assignment.next[source] = offset
            self._gaps.discard(source)
            self.paused.discard(source)
            self._resumed_at[source] = self._clock.monotonic()
            self._stood_at.pop(source, None)
            self._inputs.resume(source)
            log.info("input resumed", topic=source.topic, partition=source.partition, is_gap=source in gaps)

    def _find_standstill(self) -> None:
        now, offsets = self._clock.monotonic(), dict(self._assignment.next) if self._assignment else {}
        if offsets != self._offsets:
            self._offsets, self._moved_at = offsets, now
        patience_s = STANDSTILL_S if now - self._moved_at >= STANDSTILL_S else QUEUEING_S
        behind = dict(self._behind(self.paused))
        self._stood_at = {source: at for source, at in self._stood_at.items() if behind.get(source) == at[0]}
        for source, offset in behind.items():
            _, since = self._stood_at.setdefault(source, (offset, now))
            if now - since >= patience_s:
                log.warning("input stands still", topic=source.topic, partition=source.partition, offset=offset)
                self.repeat(source)

    def _observe_lag(self, offsets: Mapping[Input, int]) -> None:
        positions = {Place(*source): offset for source, offset in offsets.items()}
        ends = {Place(*source): self._inputs.end(source) for source in offsets}
        self._topics |= {source.topic for source in offsets}
        lag.observe(self._topics, lag.behind(positions, ends))

    def _behind(self, but_for: Collection[Input]) -> Collection[tuple[Input, int]]:
        if self._assignment is None:
            return ()
        return [
            (source, offset)
            for source, offset in self._assignment.next.items()
            if source not in but_for and self._inputs.end(source) > offset
        ]
