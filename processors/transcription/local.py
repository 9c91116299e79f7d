"""The local recogniser as an engine: the pool of its processes, and what it knows."""

import asyncio
from dataclasses import replace

from processors.transcription import metrics
from processors.transcription.engines import Question
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised

LANGUAGE = "en"
"""What the local model knows."""

MODEL = "tiny-en"


def knows(language: str) -> bool:
    """Whether there is a model for it."""
    return language.split("-")[0].lower() == LANGUAGE


class LocalEngine:
    """See `SpeechEngine`. Its processes start with the first utterance."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def recognise(self, asked: Question, until_s: float) -> Recognition:
        if not knows(asked.language):
            return Unrecognised(f"the local recogniser does not know the language {asked.language!r}", is_final=True)
        metrics.SPEECH_SECONDS.inc(len(asked.pcm) / 2 / asked.sample_rate_hz)
        budget_s = max(0.0, until_s - asyncio.get_running_loop().time())
        found = await self._pool.recognise(asked.pcm, asked.sample_rate_hz, budget_s)
        return replace(found, model=MODEL) if isinstance(found, Recognised) else found

    async def stop(self) -> None:
        await self._pool.stop()
