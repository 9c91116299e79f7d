"""Transcription as the shell runs it: captions and utterances to records on `transcripts`."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from processors.shell.applications import Output
from processors.transcription import metrics
from processors.transcription.accounts import Accounts
from processors.transcription.afterwards.service import Afterwards
from processors.transcription.caption_lines import CaptionWork, Unmet
from processors.transcription.configured import accounts_of, chain_of, dictations_of
from processors.transcription.keys import Keys, NoKeys
from processors.transcription.lanes import Lanes
from processors.transcription.local import LocalEngine
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.partials import SpokenPartials
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import (
    END_ITEM,
    EndWork,
    SpeechWork,
    caption_utterance,
    end_of_transcript,
    speech_utterance,
    withdrawal,
)  # fmt: skip
from schemas.records import Utterance
from schemas.sessions import Awaited
from schemas.settings import Engine
from schemas.topics import TRANSCRIPT_PARTIALS, TRANSCRIPTION_STATE, TRANSCRIPTS

WAITING_PER_WORKER = 4


class TranscriptionApplication:
    """See `processors.shell.applications.Application`."""

    name = "transcription"
    state_topic = TRANSCRIPTION_STATE
    result = Awaited.TRANSCRIPT

    def __init__(
        self,
        settings: TranscriptionSettings,
        keys: Keys | None = None,
        custom_async_url: str = "",
        afterwards: Afterwards | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self.logic = TranscriptionLogic()
        local = settings.workers * WAITING_PER_WORKER
        self.max_in_flight = local + settings.remote_waiting
        self._places = asyncio.Semaphore(local)
        self._keys = keys or NoKeys()
        accounts, dictations = accounts or accounts_of(settings), dictations_of(settings, self._keys)
        engine = LocalEngine(Pool(settings))
        self._chain = chain_of(settings, self._keys, custom_async_url, accounts, engine, dictations)
        self._workers, self._local = settings.workers, 0
        self.partials = SpokenPartials(self.logic, settings, self._is_behind, engine, dictations)
        self._lanes = Lanes()
        self._afterwards = afterwards

    async def start(self) -> None:
        """Recogniser processes start with the first utterance: sessions with Zoom's captions alone need none."""
        self._keys.start()
        if self._afterwards is not None:
            await self._afterwards.start()

    async def stop(self) -> None:
        if self._afterwards is not None:
            await self._afterwards.stop()
        await self._chain.stop()
        await self.partials.stop()
        await self._keys.stop()

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        match work:
            case CaptionWork():
                return [_output(caption_utterance(work))]
            case Unmet(outcome):
                metrics.UNMET.labels(outcome).inc()
                return []
            case SpeechWork():
                async with self._lanes.entered((session_id, work.participant_id)) as turn:
                    spoken = await self._spoken(session_id, work)
                    await turn()
                    return spoken
            case EndWork():
                return [_output(end_of_transcript(session_id, work))]
            case _:
                raise TypeError(f"not a work of transcription: {type(work).__name__}")

    async def _spoken(self, session_id: str, work: SpeechWork) -> list[Output]:
        with self._counted(work):
            engine, result = await self._recognised(session_id, work)
        if isinstance(result, Recognised) and not result.text:
            metrics.UTTERANCES.labels(engine, "wordless").inc()
            return [_partial(withdrawal(session_id, work))] if work.has_partials else []
        return [_output(speech_utterance(session_id, work, result, engine))]

    @contextmanager
    def _counted(self, work: SpeechWork) -> Iterator[None]:
        is_local = work.engines[0] is Engine.MOONSHINE
        self._local += is_local
        try:
            yield
        finally:
            self._local -= is_local

    def _is_behind(self) -> bool:
        """Whether utterances wait for the local recogniser."""
        return self._local > self._workers

    async def _recognised(self, session_id: str, work: SpeechWork) -> tuple[Engine, Recognition]:
        asked = work.question(session_id)
        if isinstance(asked, Unrecognised):
            return work.engines[0], asked
        # Places that are there for speech services would be time lost for who waits for the recogniser.
        async with self._places if work.engines[0] is Engine.MOONSHINE else nullcontext():
            return await self._chain.recognise(asked, work.engines)


def _partial(utterance: Utterance) -> Output:
    return Output(TRANSCRIPT_PARTIALS, utterance.utterance_id, utterance)


def _output(utterance: Utterance) -> Output:
    if utterance.engine:
        metrics.UTTERANCES.labels(utterance.recognised_by or utterance.engine, utterance.status).inc()
    return Output(TRANSCRIPTS, utterance.utterance_id or END_ITEM, utterance)
