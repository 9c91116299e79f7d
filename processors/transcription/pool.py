"""A fixed number of recogniser processes, and the patience to get an answer out of them.

An utterance waits for a free process; one whose process died, or that took too long, is tried again with growing
pauses until its time is up. Then it is given up for good: an end is always written.
"""

import asyncio
from collections.abc import Sequence

from connectors.host.logs import get_logger
from processors.transcription import metrics
from processors.transcription.child import COMMAND, Child
from processors.transcription.recogniser import Recognised, Recognition, Segment, Unrecognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.worker.messages import Answer, Broken, Missing, Request, Text

MOST_DELAY_S = 30.0

log = get_logger(__name__)


class Pool:
    def __init__(
        self, settings: TranscriptionSettings, command: Sequence[str] = COMMAND, processes: int | None = None
    ) -> None:
        """`processes`: how many, by default the settings' `workers`."""
        self._settings = settings
        count = settings.workers if processes is None else processes
        self._children = [Child(settings.silence_limit_s, command) for _ in range(count)]
        self._free: asyncio.Queue[Child] = asyncio.Queue()
        for child in self._children:
            self._free.put_nowait(child)
        self._missing: str | None = None

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [child.pid for child in self._children if child.pid is not None]

    @property
    def is_idle(self) -> bool:
        """Whether a process has nothing to do."""
        return not self._free.empty()

    async def stop(self) -> None:
        """End all processes; nobody may ask any more."""
        await asyncio.gather(*(child.stop() for child in self._children))

    async def recognise(self, pcm: bytes, sample_rate_hz: int, budget_s: float | None = None) -> Recognition:
        """What is said in `pcm` (mono, 16 bit); no attempt begins after `budget_s`, by default that of the settings."""
        wanted = Request(pcm, sample_rate_hz, self._settings.attempt_limit_s)
        return self._missing_or(
            await self._asked(wanted, self._settings.retry_budget_s if budget_s is None else budget_s)
        )

    async def glimpsed(self, pcm: bytes, sample_rate_hz: int, limit_s: int | None = None) -> Recognition:
        """What is said in `pcm`, by one attempt, by default as long as any; nobody depends on the answer."""
        wanted = Request(pcm, sample_rate_hz, self._settings.attempt_limit_s if limit_s is None else limit_s)
        return self._missing_or(await self._attempt(wanted, None))

    async def _asked(self, wanted: Request, budget_s: float) -> Answer:
        """The first answer that another attempt would not change, or the last one that time allowed."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + budget_s
        delay_s = self._settings.retry_delay_s
        while True:
            answer = Missing(self._missing) if self._missing else await self._attempt(wanted, deadline_s)
            if not isinstance(answer, Broken) or loop.time() + delay_s >= deadline_s:
                return answer
            metrics.RETRIES.inc()
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, MOST_DELAY_S)

    async def _attempt(self, wanted: Request, deadline_s: float | None) -> Answer:
        try:
            async with asyncio.timeout_at(deadline_s):
                child = await self._free.get()
        except TimeoutError:
            return Broken("no process was free in time")
        try:
            return await child.ask(wanted)
        finally:
            self._free.put_nowait(child)

    def _missing_or(self, answer: Answer) -> Recognition:
        if isinstance(answer, Text):
            return Recognised(tuple(Segment(*segment) for segment in answer.segments))
        if isinstance(answer, Missing) and self._missing is None:
            self._missing = answer.reason
            log.error("no local recogniser: utterances will fail", reason=answer.reason)
        return Unrecognised(answer.reason, is_final=not isinstance(answer, Broken))
