"""Muxing as the shell runs it: pure logic, and a thread that writes segments (about 30 ms of a core for 4 s)."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from av.error import ExternalError

from connectors.host.logs import get_logger
from processors.muxing import metrics
from processors.muxing.filming import filmed
from processors.muxing.gaps import lessened
from processors.muxing.logic import EndWork, MuxingLogic, StretchWork
from processors.muxing.segments import end, segments
from processors.muxing.settings import MuxingSettings
from processors.shell.applications import Aside, Output
from processors.shell.faults import FAULTS, raised_at
from schemas.records import OutputKind, Segment
from schemas.sessions import Awaited
from schemas.topics import MUXING_STATE, RECORDING_SEGMENTS

log = get_logger(__name__)

UNWRITABLE = (*FAULTS, ExternalError)
"""What whoever encodes a stretch meets each time: a library of others may refuse pictures, too."""


class Muxing:
    """See `processors.shell.applications.Application`."""

    name = "muxing"
    state_topic = MUXING_STATE
    result = Awaited.RECORDING
    partials = None

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

    async def render(self, session_id: str, work: object) -> Sequence[Output | Aside]:
        written = await asyncio.get_running_loop().run_in_executor(self._pool, _written, session_id, work)
        _count(written, work)
        outputs = [Output(RECORDING_SEGMENTS, segment.segment_id, segment) for segment in written.segments]
        return [*outputs, *written.asides]


class Written(NamedTuple):
    """A work's segments, and what had to be left out to make them."""

    segments: list[Segment]
    asides: tuple[Aside, ...] = ()


def _written(session_id: str, work: object) -> Written:
    if isinstance(work, EndWork):
        return Written([end(session_id, work)])
    assert isinstance(work, StretchWork)
    recording = _stretch(session_id, work)
    if work.film is None:
        return recording
    film = _stretch(session_id, work.film)
    return Written([*recording.segments, *film.segments], (*recording.asides, *film.asides))


def _stretch(session_id: str, work: StretchWork) -> Written:
    """The segments, with a gap where something cannot be written."""
    try:
        film = filmed(work)
        asides = tuple(Aside("undecodable picture", data) for data in film.refused)
        return Written(segments(session_id, film.work), asides)
    except UNWRITABLE as error:
        fault = type(error).__name__
        log.error("a stretch cannot be written as it is", session_id=session_id, start_ms=work.start_ms, error=fault,
                  at=raised_at(error))  # fmt: skip
        return _with_gap(session_id, work, fault)


def _with_gap(session_id: str, work: StretchWork, fault: str) -> Written:
    """As much of the stretch as can be written; nothing at all is a recording with a segment missing."""
    for less in lessened(work):
        reason = f"{fault} while writing a segment: left out its {less.what}"
        with suppress(*UNWRITABLE):
            return Written(segments(session_id, less.work), (Aside(reason, less.data),))
    return Written([], (Aside(f"{fault} while writing a segment: left out", less.data),))


def _count(written: Written, work: object) -> None:
    metrics.UNWRITABLE.inc(len(written.asides))
    if isinstance(work, StretchWork):
        metrics.DROPPED_PICTURES.inc(work.dropped)
    for segment in written.segments:
        if segment.kind is OutputKind.END:
            metrics.RECORDINGS.inc()
            continue
        metrics.SEGMENTS.inc()
        metrics.SEGMENT_BYTES.inc(len(segment.payload))
        metrics.PICTURES.inc(segment.pictures)
        metrics.DEPENDENT_SEGMENTS.inc(not segment.independent)


if TYPE_CHECKING:
    from processors.shell.applications import Application

    _: Application = Muxing(MuxingSettings())
