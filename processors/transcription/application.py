"""Transcription as the shell runs it: captions and utterances to records on `transcripts`."""

from collections.abc import Sequence

from processors.shell.applications import Output
from processors.transcription import metrics
from processors.transcription.logic import TranscriptionLogic
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import (
    END_ITEM,
    CaptionWork,
    EndWork,
    SpeechWork,
    caption_utterance,
    end_of_transcript,
    speech_utterance,
)  # fmt: skip
from schemas.records import Utterance
from schemas.sessions import Awaited
from schemas.topics import TRANSCRIPTION_STATE, TRANSCRIPTS

LANGUAGE = "en"
"""What the local model knows."""

WAITING_PER_WORKER = 4


class TranscriptionApplication:
    """See `processors.shell.applications.Application`."""

    name = "transcription"
    state_topic = TRANSCRIPTION_STATE
    result = Awaited.TRANSCRIPT

    def __init__(self, settings: TranscriptionSettings) -> None:
        self.logic = TranscriptionLogic()
        self.max_in_flight = settings.workers * WAITING_PER_WORKER
        self._pool = Pool(settings)

    async def start(self) -> None:
        """Recogniser processes start with the first utterance: sessions with Zoom's captions alone need none."""

    async def stop(self) -> None:
        await self._pool.stop()

    async def render(self, session_id: str, work: object) -> Sequence[Output]:
        match work:
            case CaptionWork(caption):
                return [_output(caption_utterance(caption))]
            case SpeechWork():
                return await self._spoken(session_id, work)
            case EndWork():
                return [_output(end_of_transcript(session_id, work))]
            case _:
                raise TypeError(f"not a work of transcription: {type(work).__name__}")

    async def _spoken(self, session_id: str, work: SpeechWork) -> list[Output]:
        result = await self._recognised(work)
        if isinstance(result, Recognised) and not result.text:
            metrics.UTTERANCES.labels("moonshine", "wordless").inc()
            return []
        return [_output(speech_utterance(session_id, work, result))]

    async def _recognised(self, work: SpeechWork) -> Recognition:
        if work.speech.pcm is None:
            return Unrecognised(f"unsupported audio: {work.speech.audio}")
        if work.language.split("-")[0].lower() != LANGUAGE:
            return Unrecognised(f"the local recogniser does not know the language {work.language!r}")
        metrics.SPEECH_SECONDS.inc((work.speech.end_ms - work.speech.start_ms) / 1000)
        return await self._pool.recognise(work.speech.pcm, work.speech.audio.sample_rate_hz)


def _output(utterance: Utterance) -> Output:
    if utterance.engine:
        metrics.UTTERANCES.labels(utterance.engine, utterance.status).inc()
    return Output(TRANSCRIPTS, utterance.utterance_id or END_ITEM, utterance)
