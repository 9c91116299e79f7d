"""The local recogniser as an engine: the pool of its processes, what it knows, and what it has heard ahead.

An utterance is over when a pause proves it, and the proof takes as long as hearing it. So one that is likely over is
heard meanwhile: the same sound has the same text, so that whether somebody did decides nothing but when it is there.
"""

import asyncio
from dataclasses import dataclass, replace

from processors.transcription import metrics
from processors.transcription.engines import Question
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised

LANGUAGE = "en"
"""What the local model knows."""

MODEL = "tiny-en"

MOST_AHEAD = 16
"""Utterances: who was likely over is asked for within a second, or speaks on."""


def knows(language: str) -> bool:
    """Whether there is a model for it."""
    return language.split("-")[0].lower() == LANGUAGE


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Sound that is heard or being heard, and its text."""

    pcm: bytes
    sample_rate_hz: int
    text: asyncio.Task[Recognition]


class LocalEngine:
    """See `SpeechEngine`. Its processes start with the first utterance."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._ahead: dict[str, _Ahead] = {}
        self._tasks: set[asyncio.Task[Recognition]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether a process has nothing to do."""
        return self._pool.is_idle

    def hear_ahead(self, likely: Question) -> None:
        """Begin to hear what is likely to be asked for in a moment."""
        self._forget(likely.utterance_id)
        while len(self._ahead) >= MOST_AHEAD:
            self._forget(next(iter(self._ahead)))
        text = asyncio.create_task(self._pool.glimpsed(likely.pcm, likely.sample_rate_hz))
        self._tasks.add(text)
        text.add_done_callback(self._tasks.discard)
        self._ahead[likely.utterance_id] = _Ahead(likely.pcm, likely.sample_rate_hz, text)
        _count(likely)

    async def recognise(self, asked: Question, until_s: float) -> Recognition:
        if not knows(asked.language):
            return Unrecognised(f"the local recogniser does not know the language {asked.language!r}", is_final=True)
        with metrics.RECOGNITION_SECONDS.time():
            found = await self._heard_ahead(asked) or await self._heard(asked, until_s)
        return replace(found, model=MODEL) if isinstance(found, Recognised) else found

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pool.stop()

    async def _heard(self, asked: Question, until_s: float) -> Recognition:
        _count(asked)
        budget_s = max(0.0, until_s - asyncio.get_running_loop().time())
        return await self._pool.recognise(asked.pcm, asked.sample_rate_hz, budget_s)

    async def _heard_ahead(self, asked: Question) -> Recognised | None:
        """The text of this very sound, if it was heard ahead and all went well."""
        ahead = self._ahead.pop(asked.utterance_id, None)
        if ahead is None:
            return None
        is_same = (ahead.pcm, ahead.sample_rate_hz) == (asked.pcm, asked.sample_rate_hz)
        found = await asyncio.shield(ahead.text) if is_same else None
        metrics.AHEAD.labels("used" if isinstance(found, Recognised) else "unused").inc()
        return found if isinstance(found, Recognised) else None

    def _forget(self, utterance_id: str) -> None:
        if self._ahead.pop(utterance_id, None) is not None:
            metrics.AHEAD.labels("unused").inc()


def _count(given: Question) -> None:
    metrics.SPEECH_SECONDS.inc(len(given.pcm) / 2 / given.sample_rate_hz)
