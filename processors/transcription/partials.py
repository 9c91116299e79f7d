"""What is being said, told while somebody speaks: heard by processes of its own that yield to those of utterances.

A partial is made of what is certain to be in the utterance, so it has the utterance's id; whether there is one decides
nothing. Only the local recogniser is asked: a service would be paid for every one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from processors.checkpoint.folds import Json
from processors.checkpoint.windows import Track
from processors.shell.applications import Output
from processors.transcription import metrics
from processors.transcription.child import COMMAND
from processors.transcription.local import MODEL, knows
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import SpeechWork, partial_utterance
from schemas.topics import TRANSCRIPT_PARTIALS

LATE_MS = 1_500
"""What was received longer ago is no news, and whoever reads it is catching up: there the finals are soon enough."""

ATTEMPT_LIMIT_S = 10

UNHURRIED = (*COMMAND, "10")
"""A process that has what those of utterances leave of the processor."""


class SpokenPartials:
    """See `processors.shell.applications.Partials`. `is_behind` says whether an utterance waits for a process."""

    def __init__(
        self, logic: TranscriptionLogic, settings: TranscriptionSettings, is_behind: Callable[[], bool]
    ) -> None:
        self.max_in_flight = settings.partial_workers
        self._logic, self._is_behind = logic, is_behind
        self._pool = Pool(settings, UNHURRIED, settings.partial_workers)

    async def stop(self) -> None:
        await self._pool.stop()

    def is_wanted(self, part: Json) -> bool:
        return self._logic.wants_partials(part)

    def is_due(self, track: Track) -> bool:
        return self._logic.is_glimpse_due(track)

    def seen(self, track: Track, late_ms: int, *, is_busy: bool) -> object | None:
        if skipped := _skipped(late_ms, is_behind=self._is_behind(), is_busy=is_busy):
            if self._logic.is_glimpse_missed(track):
                metrics.PARTIALS.labels(skipped).inc()
            return None
        work = self._logic.glimpse(track)
        return work if work is not None and knows(work.language) else None

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        assert isinstance(work, SpeechWork)
        speech = work.speech
        assert speech.pcm is not None
        with metrics.PARTIAL_SECONDS.time():
            found = await self._pool.glimpsed(speech.pcm, speech.audio.sample_rate_hz, ATTEMPT_LIMIT_S)
        if not isinstance(found, Recognised):
            metrics.PARTIALS.labels("failed").inc()
            return []
        metrics.PARTIALS.labels("written" if found.text else "wordless").inc()
        partial = partial_utterance(session_id, work, replace(found, model=MODEL))
        return [Output(TRANSCRIPT_PARTIALS, partial.utterance_id, partial)] if found.text else []


def _skipped(late_ms: int, *, is_behind: bool, is_busy: bool) -> str | None:
    """Why there is to be no partial now; None: there may."""
    if late_ms > LATE_MS:
        return "late"
    if is_behind:
        return "behind"
    return "busy" if is_busy else None
