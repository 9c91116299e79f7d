"""What is being said, told while somebody speaks, by whoever is asked first for what was said; and what the local
recogniser hears ahead, because it is likely over.

A partial is made of what is certain to be in the utterance, so it has the utterance's id; whether there is one decides
nothing. The local recogniser hears each from the utterance's start, by processes of its own that yield to those of
utterances; a speech service that can hears it once, while it is spoken (`dictations.py`).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from processors.checkpoint.folds import Json
from processors.checkpoint.windows import Track
from processors.shell.applications import Output
from processors.transcription import metrics
from processors.transcription.child import COMMAND
from processors.transcription.dictations import Dictations
from processors.transcription.local import MODEL, LocalEngine, knows
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised, Unrecognised
from processors.transcription.remote import recognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import SpeechWork, partial_utterance
from schemas.records import Utterance
from schemas.settings import Engine
from schemas.topics import TRANSCRIPT_PARTIALS

LATE_MS = 1_500
"""What was received longer ago is no news, and whoever reads it is catching up: there the finals are soon enough."""

ATTEMPT_LIMIT_S = 10

UNHURRIED = (*COMMAND, "10")
"""A process that has what those of utterances leave of the processor."""


@dataclass(frozen=True, slots=True)
class Likely:
    """An utterance that is likely over."""

    work: SpeechWork


class SpokenPartials:
    """See `processors.shell.applications.Partials`. `is_behind` says whether an utterance waits for a process."""

    def __init__(
        self,
        logic: TranscriptionLogic,
        settings: TranscriptionSettings,
        is_behind: Callable[[], bool],
        engine: LocalEngine,
        dictations: Dictations,
    ) -> None:
        self._logic, self._is_behind, self._engine, self._dictations = logic, is_behind, engine, dictations
        self._workers = settings.partial_workers
        self._pool = Pool(settings, UNHURRIED, settings.partial_workers)

    async def stop(self) -> None:
        await self._pool.stop()

    def is_wanted(self, part: Json) -> bool:
        return self._is_heard_ahead(part) or self._is_shown(part)

    def is_due(self, track: Track) -> bool:
        return self._logic.is_glimpse_due(track) or self._logic.is_end_likely(track)

    def seen(self, track: Track, late_ms: int, under_way: Collection[object]) -> object | None:
        part = track.entries[0].before.part
        is_ahead = self._is_heard_ahead(part) and self._logic.is_end_likely(track)
        if is_ahead and (likely := self._likely(track, late_ms)) is not None:
            return likely
        is_shown = self._is_shown(part) and self._logic.is_glimpse_due(track)
        return self._glimpse(track, late_ms, under_way) if is_shown else None

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        if isinstance(work, Likely):
            self._hear_ahead(session_id, work.work)
            return []
        assert isinstance(work, SpeechWork)
        partial = await (self._heard if _is_local(work) else self._dictated)(session_id, work)
        if partial is None:
            return []
        metrics.PARTIALS.labels("written" if partial.text else "wordless").inc()
        return [Output(TRANSCRIPT_PARTIALS, partial.utterance_id, partial)] if partial.text else []

    def _is_heard_ahead(self, part: Json) -> bool:
        return self._logic.is_heard_here(part) and knows(part["language"])

    def _is_shown(self, part: Json) -> bool:
        match self._logic.partials_by(part):
            case None:
                return False
            case Engine.MOONSHINE:
                return self._workers > 0
            case _:
                return self._dictations.most > 0

    def _likely(self, track: Track, late_ms: int) -> Likely | None:
        """Nobody who asks for an utterance is to wait for it: it takes a process that has nothing to do."""
        if late_ms > LATE_MS or not self._engine.is_idle:
            return None
        work = self._logic.likely(track)
        return None if work is None else Likely(work)

    def _hear_ahead(self, session_id: str, work: SpeechWork) -> None:
        asked = work.question(session_id)
        if not isinstance(asked, Unrecognised) and self._engine.is_idle:
            self._engine.hear_ahead(asked)

    def _glimpse(self, track: Track, late_ms: int, under_way: Collection[object]) -> SpeechWork | None:
        is_local = self._logic.partials_by(track.entries[0].before.part) is Engine.MOONSHINE
        # Whoever looks at a dictation has gone when the next one looks at it, but not yet left.
        most = self._workers if is_local else 2 * self._dictations.most
        is_busy = sum(_is_local(work) is is_local for work in under_way) >= most
        if skipped := _skipped(late_ms, is_behind=is_local and self._is_behind(), is_busy=is_busy):
            if self._logic.is_glimpse_missed(track):
                metrics.PARTIALS.labels(skipped).inc()
            return None
        work = self._logic.glimpse(track)
        return work if work is not None and (not is_local or knows(work.language)) else None

    async def _heard(self, session_id: str, work: SpeechWork) -> Utterance | None:
        """What the local recogniser understands of it."""
        speech = work.speech
        assert speech.pcm is not None
        with metrics.PARTIAL_SECONDS.time():
            found = await self._pool.glimpsed(speech.pcm, speech.audio.sample_rate_hz, ATTEMPT_LIMIT_S)
        if not isinstance(found, Recognised):
            metrics.PARTIALS.labels("failed").inc()
            return None
        return partial_utterance(session_id, work, replace(found, model=MODEL))

    async def _dictated(self, session_id: str, work: SpeechWork) -> Utterance | None:
        """What a service has understood by the time that it says something: of less than it was told by then."""
        asked = work.question(session_id)
        found = None if isinstance(asked, Unrecognised) else await self._dictations.glimpsed(asked)
        if found is None:
            return None
        speech = work.speech
        end_ms = min(speech.end_ms, speech.start_ms + found.heard_ms)
        heard = replace(work, speech=replace(speech, end_ms=end_ms, heard_ms=found.heard_ms))
        return partial_utterance(session_id, heard, recognised(found.said, found.heard_ms))


def _is_local(work: object) -> bool:
    return isinstance(work, SpeechWork) and work.engines[0] is Engine.MOONSHINE


def _skipped(late_ms: int, *, is_behind: bool, is_busy: bool) -> str | None:
    """Why there is to be no partial now; None: there may."""
    if late_ms > LATE_MS:
        return "late"
    if is_behind:
        return "behind"
    return "busy" if is_busy else None
