"""Writes what an application shows of windows that are still open, where it shows any.

Nothing waits for it and nothing relies on it: it holds back no state and no offset, a rebalance takes it away, and what
fails is counted and let go, for what is final comes later and by another way.
"""

import asyncio
from collections.abc import Callable

from connectors.host.clock import Clock
from connectors.host.logs import get_logger
from connectors.kafka.errors import KafkaError
from processors.checkpoint.assignments import Assignment, Input
from processors.checkpoint.sessions import SessionKey
from processors.shell import metrics
from processors.shell.applications import Partials
from processors.shell.faults import FAULTS, raised_at
from processors.shell.outbox import Outbox
from schemas.records import MediaRecord, RecordKind

log = get_logger(__name__)


class Courtesies:
    """All methods belong to the app's loop. `fail` is told of what no application may raise."""

    def __init__(
        self, partials: Partials | None, outbox: Outbox, clock: Clock, fail: Callable[[BaseException], None]
    ) -> None:
        self._partials, self._outbox, self._clock, self._fail = partials, outbox, clock, fail
        self._tasks: dict[asyncio.Task[None], object] = {}

    def look(self, assignment: Assignment, source: Input, record: MediaRecord) -> None:
        """Show something of the track that a record was just fed to, if the application wants to."""
        partials = self._partials
        if partials is None or record.kind is not RecordKind.FRAME:
            return
        session = SessionKey(source.partition, record.session_id)
        try:
            work = self._seen(partials, assignment, source, record)
        except FAULTS as error:
            _unshown(session, error)
            return
        if work is not None:
            task = asyncio.create_task(self._show(partials, session, work))
            self._tasks[task] = work
            task.add_done_callback(self._ended)

    def cancel(self) -> None:
        """Forget everything under way."""
        for task in self._tasks:
            task.cancel()

    def _seen(self, partials: Partials, assignment: Assignment, source: Input, record: MediaRecord) -> object | None:
        """What to show. Most sessions want nothing, and after most frames of the others nothing is due."""
        if not partials.is_wanted(assignment.part_of(source, record.session_id)):
            return None
        track = assignment.track_of(source, record)
        if track is None or not partials.is_due(track):
            return None
        late_ms = (self._clock.now_us() - record.arrived_us) // 1000
        return partials.seen(track, late_ms, self._tasks.values())

    async def _show(self, partials: Partials, session: SessionKey, work: object) -> None:
        try:
            for output in await partials.render(session.session_id, work):
                await self._outbox.send(output.topic, output.key(session.session_id), output.record, session.partition)
                metrics.OUTPUTS.labels(output.topic.name).inc()
        except (KafkaError, *FAULTS) as error:
            _unshown(session, error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)


def _unshown(session: SessionKey, error: Exception) -> None:
    metrics.UNSHOWN.inc()
    log.warning("nothing shown", session_id=session.session_id, error=type(error).__name__, at=raised_at(error))
