"""Turns complete windows into acknowledged outputs, a bounded number at a time, in whatever order they get ready."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from processors.checkpoint.assignments import Assignment
from processors.checkpoint.missing import Missing
from processors.checkpoint.sessions import Window
from processors.shell import metrics
from processors.shell.applications import Application, Output
from processors.shell.outbox import Outbox
from schemas.records import FactKind, SessionFact
from schemas.topics import SESSION_FACTS


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
        session = window.session
        async with self._slots:
            with metrics.RENDER_SECONDS.time():
                outputs = await self._rendered(session.session_id, window.work)
            for output in outputs:
                metrics.OUTPUTS.labels(output.topic.name).inc()
            await asyncio.gather(
                *(
                    self._outbox.send(output.topic, output.key(session.session_id), output.record, session.partition)
                    for output in outputs
                )
            )
        metrics.WINDOWS.inc()
        self.start(assignment, assignment.done(window))

    async def _rendered(self, session_id: str, work: object) -> Sequence[Output]:
        if not isinstance(work, Missing):
            return await self._application.render(session_id, work)
        metrics.HOLES.labels(work.hole.medium).inc()
        source, kind = self._application.name, FactKind.HOLE_FOUND
        fact = SessionFact(session_id=session_id, kind=kind, source=source, hole=work.hole)
        return [Output(SESSION_FACTS, "", fact)]

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
