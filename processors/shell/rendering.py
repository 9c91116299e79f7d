"""Turns complete windows into acknowledged outputs, a bounded number at a time, in whatever order they get ready.

What cannot become an output whoever tries is put aside: else one odd window would stop the whole partition for ever.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from connectors.host import traces
from connectors.host.logs import get_logger
from connectors.kafka.dead_letters import Origin
from connectors.kafka.errors import RecordTooLarge
from processors.checkpoint.assignments import Assignment
from processors.checkpoint.missing import Missing
from processors.checkpoint.sessions import Window
from processors.shell import metrics
from processors.shell.applications import Application, Aside, Output
from processors.shell.faults import FAULTS, raised_at
from processors.shell.outbox import Outbox
from schemas.records import FactKind, SessionFact, Utterance
from schemas.topics import SESSION_FACTS

log = get_logger(__name__)


class Rendering:
    """The windows under way. Whatever fails is reported to `fail`: a window left undone would hold everything back."""

    def __init__(self, application: Application, outbox: Outbox, fail: Callable[[BaseException], None]) -> None:
        self._application = application
        self._outbox = outbox
        self._fail = fail
        self._slots = asyncio.Semaphore(application.max_in_flight)
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def start(self, assignment: Assignment, windows: Iterable[Window]) -> None:
        """Begin with these windows; what waits for them begins when they are done."""
        for window in windows:
            task = asyncio.create_task(self._finish(assignment, window))
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        self._update()

    async def room(self) -> None:
        """Wait until another window may begin: so the agent stops reading when it is ahead of the outputs."""
        await self._has_room.wait()

    @property
    def is_full(self) -> bool:
        return not self._has_room.is_set()

    def cancel(self) -> None:
        """Forget everything under way; the next owner repeats it."""
        for task in self._tasks:
            task.cancel()

    async def _finish(self, assignment: Assignment, window: Window) -> None:
        async with self._slots:
            began_ns = traces.now_ns()
            with metrics.RENDER_SECONDS.time():
                outputs = await self._rendered(window)
            await asyncio.gather(*(self._send(window, output) for output in outputs))
        self._tell(window, outputs, began_ns)
        metrics.WINDOWS.inc()
        self.start(assignment, assignment.done(window))

    async def _rendered(self, window: Window) -> Sequence[Output | Aside]:
        session_id = window.session.session_id
        if isinstance(window.work, Missing):
            metrics.HOLES.labels(window.work.hole.medium).inc()
            source, kind = self._application.name, FactKind.HOLE_FOUND
            fact = SessionFact(session_id=session_id, kind=kind, source=source, hole=window.work.hole)
            return [Output(SESSION_FACTS, "", fact)]
        try:
            return await self._application.render(session_id, window.work)
        except FAULTS as error:
            fault = type(error).__name__
            log.error("work put aside", session_id=session_id, error=fault, at=raised_at(error))
            return [Aside(f"{fault} while rendering", b"")]

    async def _send(self, window: Window, output: Output | Aside) -> None:
        """Write an output, or put aside what can never be one; it is acknowledged."""
        session_id, partition = window.session.session_id, window.session.partition
        if isinstance(output, Aside):
            await self._put_aside(window, output)
            return
        try:
            await self._outbox.send(output.topic, output.key(session_id), output.record, partition)
        except (RecordTooLarge, *FAULTS) as error:
            fault, topic = type(error).__name__, output.topic.name
            log.error("output put aside", session_id=session_id, topic=topic, error=fault, at=raised_at(error))
            await self._put_aside(window, Aside(f"{fault} for {topic}", b""))
        else:
            metrics.OUTPUTS.labels(output.topic.name).inc()

    def _tell(self, window: Window, outputs: Sequence[Output | Aside], began_ns: int) -> None:
        """A span for each output, from the beginning of its rendering to its acknowledgement."""
        session_id, processor = window.session.session_id, self._application.name
        for output in outputs if traces.is_on() else ():
            if isinstance(output, Aside):
                traces.span(session_id, "put aside", began_ns, processor=processor)
                continue
            revision = output.record.revision if isinstance(output.record, Utterance) else 0
            which = f"{output.item_id}:{revision}" if output.item_id else None
            traces.span(session_id, f"write {output.topic.name}", began_ns, which, processor=processor)

    async def _put_aside(self, window: Window, aside: Aside) -> None:
        """The letter says where the window's records begin; as its source it names us, who made the bytes."""
        metrics.ASIDE.inc()
        offset = min((mark.offset for mark in window.first.values()), default=0)
        session_id, partition = window.session.session_id, window.session.partition
        await self._outbox.refuse(
            Origin(self._application.name, partition, offset, session_id.encode()), aside.reason, aside.data
        )

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._update()
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    def _update(self) -> None:
        if len(self._tasks) < self._application.max_in_flight:
            self._has_room.set()
        else:
            self._has_room.clear()
