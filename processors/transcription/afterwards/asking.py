"""The engines of side transcripts: there while something is made, and then no longer."""

from typing import Any

import msgspec

from processors.transcription.chain import Chain
from processors.transcription.child import COMMAND
from processors.transcription.configured import chain_of
from processors.transcription.engines import Question
from processors.transcription.keys import Keys
from processors.transcription.recogniser import Recognition, Unrecognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import SpeechWork
from schemas.settings import Engine

YIELDING = (*COMMAND, "15")
"""A recogniser that leaves the processor to the one that hears meetings."""


class Asking:
    """As many questions at a time as the sessions that are made may have; one recogniser process."""

    def __init__(self, settings: TranscriptionSettings, keys: Keys, custom_async_url: str) -> None:
        at_once = settings.afterwards_sessions * settings.afterwards_in_flight
        self._settings = settings.model_copy(update={"workers": 1, "remote_in_flight": at_once})
        self._keys, self._custom_async_url = keys, custom_async_url
        self._chain: Chain | None = None

    async def recognise(self, work: SpeechWork, session_id: str) -> tuple[Engine, Recognition]:
        """Who understood an utterance of the session, and what."""
        speech = work.speech
        if speech.pcm is None:
            return work.engines[0], Unrecognised(f"unsupported audio: {speech.audio}")
        if self._chain is None:
            self._chain = chain_of(self._settings, self._keys, self._custom_async_url, YIELDING)
        options = msgspec.json.decode(work.options, type=dict[str, Any])  # the API's own words
        rate_hz = speech.audio.sample_rate_hz
        asked = Question(speech.pcm, rate_hz, work.language, options, session_id, work.project_id)
        return await self._chain.recognise(asked, work.engines)

    async def rest(self) -> None:
        """Nobody asks for now."""
        chain, self._chain = self._chain, None
        if chain is not None:
            await chain.stop()
