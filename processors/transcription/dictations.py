"""Utterances that a speech service hears while they are spoken: what it has understood so far, and in the end.

A courtesy, with one answer to all that can go wrong: the dictation is over, and the utterance is asked for when it is
complete, as if nobody had tried. A dictation is one utterance on a connection of its own: nothing of one can get into
another, and a connection that is closed as it should be has told everything.
"""

import asyncio
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from connectors.host.logs import get_logger
from connectors.speech.dictating import DictationClient, Refused
from connectors.speech.dictation import DictationService, Opening
from connectors.speech.exchange import Failure, Heard
from processors.transcription import metrics
from processors.transcription.dictation import Dictation, Ending, Glimpsed
from processors.transcription.engines import Question
from processors.transcription.keys import Keys, Unreadable
from processors.transcription.rests import Rests
from schemas.settings import Engine
from schemas.transcription_codes import Reason

KEPT_S = 60.0
"""What is over is remembered so long: it must not begin anew."""

LONGEST_S = 30.0
"""Utterances end long before; one that nobody ends goes on in another process, however much the service tells of it."""

TROUBLE = (Ending.INCOMPLETE, Ending.LATE, Ending.LOST, Ending.SILENT, Ending.GARBLED)
"""Of the service or the network: whoever met it leaves the two alone for a while."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many at a time, in all and of one project, and how long whoever asks for the whole waits for it."""

    in_all: int
    per_project: int
    limit_s: float


@dataclass(slots=True)
class _Begun:
    """A dictation, who carries it (None: nobody could), whose trouble it would be, and who had trouble before and is
    tried again with it."""

    dictation: Dictation
    began_s: float
    task: asyncio.Task[Ending] | None = None
    whom: Hashable = None
    tries: Hashable = None


class Dictations:
    """All of this process, at one service. `client` and `keys` are its way there."""

    def __init__(
        self, engine: Engine, service: DictationService, client: DictationClient, keys: Keys, bounds: Bounds
    ) -> None:
        self._engine, self._service, self._client, self._keys, self._bounds = engine, service, client, keys, bounds
        self._begun: dict[str, _Begun] = {}
        self._open: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Ending]] = set()
        self._rests = Rests()
        self._tried: set[Hashable] = set()

    @property
    def most(self) -> int:
        """As many are there at a time."""
        return self._bounds.in_all

    async def glimpsed(self, asked: Question) -> Glimpsed | None:
        """Tell the service what is known of the utterance; what it has understood, when it has. See `Dictation`."""
        found = self._begun.get(asked.utterance_id) or self._begin(asked)
        found.dictation.more(asked.pcm)
        return await found.dictation.glimpsed()

    async def finished(self, asked: Question, until_s: float) -> Heard | None:
        """What was said in the whole utterance, where it was told to the service while it was spoken and all went well.

        It is not waited for longer than until the loop's time `until_s`.
        """
        found = self._begun.get(asked.utterance_id)
        if found is None:
            return None
        self._begun[asked.utterance_id] = _finished()
        found.dictation.complete(asked.pcm)
        try:
            async with asyncio.timeout_at(min(until_s, _now_s() + self._bounds.limit_s)):
                await found.dictation.over.wait()
        except TimeoutError:
            self._end(found, Ending.LATE)
        finally:
            if found.task is not None:
                found.task.cancel()
        if found.dictation.ending is not Ending.TOLD:
            return None
        heard = found.dictation.whole()
        self._count(found, Ending.INCOMPLETE if heard is None else Ending.TOLD)
        return heard

    async def stop(self) -> None:
        """Hang up, whoever still speaks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, asked: Question) -> _Begun:
        self._forget()
        found = self._begun[asked.utterance_id] = _Begun(Dictation(asked.sample_rate_hz), _now_s())
        project_id = asked.project_id
        if self._open.total() >= self._bounds.in_all or self._open[project_id] >= self._bounds.per_project:
            self._end(found, Ending.BUSY)
            return found
        self._open[project_id] += 1
        metrics.DICTATIONS_OPEN.set(self._open.total())
        task = found.task = asyncio.create_task(self._ending(found, asked))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._left(done, found, project_id))
        return found

    def _left(self, task: asyncio.Task[Ending], found: _Begun, project_id: str) -> None:
        """Nobody waits for what has gone, even where it was taken away before it began."""
        self._tasks.discard(task)
        self._tried.discard(found.tries)
        self._open[project_id] -= 1
        self._open += Counter()  # who has none is not kept
        metrics.DICTATIONS_OPEN.set(self._open.total())
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("dictation failed", error=type(error).__name__)
        self._end(found, Ending.DROPPED if task.cancelled() or error is not None else task.result())

    async def _ending(self, found: _Begun, asked: Question) -> Ending:
        """From the key to the last word."""
        project_id = asked.project_id
        try:
            async with asyncio.timeout(self._bounds.limit_s):
                key = await self._keys.of(project_id, self._engine, is_needed=not self._service.is_usable)
        except (TimeoutError, Unreadable):
            return Ending.KEYLESS
        service = self._service if key is None else self._service.keyed(key)
        opening = service.opening(asked.sample_rate_hz, asked.options_of(self._engine))
        if isinstance(opening, Failure):
            return Ending.KEYLESS
        found.whom = project_id, key
        if any(self._rests.rests(whom, _now_s()) for whom in (found.whom, (project_id, opening.url))):
            return Ending.RESTING
        if found.whom in self._tried:
            return Ending.RESTING
        if self._rests.is_doubted(found.whom):
            found.tries = found.whom
            self._tried.add(found.whom)
        try:
            async with asyncio.timeout(LONGEST_S), self._client.opened(opening) as wire:
                return await found.dictation.carry(service, opening, wire)
        except TimeoutError:
            return Ending.DROPPED
        except Refused as refused:
            self._refused(refused.failure, found.whom, project_id, opening)
            return Ending.REFUSED

    def _refused(self, why: Failure, whom: Hashable, project_id: str, opening: Opening) -> None:
        """What is wrong with what is asked says nothing of who asks."""
        is_askeds = why.is_final and why.reason is Reason.TRANSCRIPTION_REQUEST_FAILED
        whom = (project_id, opening.url) if is_askeds else whom
        if self._rests.failed(whom, _now_s(), at_least_s=why.retry_after_s, is_final=why.is_final):
            reason = why.reason
            log.warning("a speech service does not hear while somebody speaks", reason=reason, project_id=project_id)

    def _end(self, found: _Begun, ending: Ending) -> None:
        """Whether it was told to the end is not known before it was asked for."""
        if found.dictation.end(ending) and ending is not Ending.TOLD:
            self._count(found, ending)

    def _count(self, found: _Begun, ending: Ending) -> None:
        metrics.DICTATIONS.labels(ending).inc()
        if ending in TROUBLE and found.whom is not None:
            if self._rests.failed(found.whom, _now_s()):
                log.warning("a speech service did not hear to the end", ending=ending)
        elif ending is Ending.TOLD:
            self._rests.went_well(found.whom)

    def _forget(self) -> None:
        """What nobody asks for any more."""
        now_s = _now_s()
        for utterance_id in [at for at, one in self._begun.items() if one.began_s + KEPT_S < now_s]:
            if self._begun[utterance_id].dictation.over.is_set():
                del self._begun[utterance_id]


def _finished() -> _Begun:
    """What stays of an utterance that was asked for: it must not begin anew, for who looks too late."""
    left = Dictation(0)
    left.end(Ending.DROPPED)
    return _Begun(left, _now_s())


def _now_s() -> float:
    return asyncio.get_running_loop().time()
