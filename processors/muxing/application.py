"""Muxing as the shell runs it: pure logic, and a thread that writes segments (about 30 ms of a core for 4 s)."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from processors.muxing import metrics
from processors.muxing.logic import EndWork, MuxingLogic, StretchWork
from processors.muxing.segments import end, segments
from processors.muxing.settings import MuxingSettings
from processors.shell.applications import Output
from schemas.records import OutputKind, Segment
from schemas.sessions import Awaited
from schemas.topics import MUXING_STATE, RECORDING_SEGMENTS


class Muxing:
    """See `processors.shell.applications.Application`."""

    name = "muxing"
    state_topic = MUXING_STATE
    result = Awaited.RECORDING

    def __init__(self, settings: MuxingSettings) -> None:
        self.logic = MuxingLogic()
        self.max_in_flight = settings.max_in_flight
        self._threads = settings.threads
        self._pool: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="muxing")

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        written = await asyncio.get_running_loop().run_in_executor(self._pool, _written, session_id, work)
        for segment in written:
            _count(segment)
        return [Output(RECORDING_SEGMENTS, segment.segment_id, segment) for segment in written]


def _written(session_id: str, work: object) -> list[Segment]:
    if isinstance(work, EndWork):
        return [end(session_id, work)]
    assert isinstance(work, StretchWork)
    return segments(session_id, work)


def _count(segment: Segment) -> None:
    if segment.kind is OutputKind.END:
        metrics.RECORDINGS.inc()
        return
    metrics.SEGMENTS.inc()
    metrics.SEGMENT_BYTES.inc(len(segment.payload))
    metrics.PICTURES.inc(segment.pictures)
    metrics.DEPENDENT_SEGMENTS.inc(not segment.independent)


if TYPE_CHECKING:
    from processors.shell.applications import Application

    _: Application = Muxing(MuxingSettings())
