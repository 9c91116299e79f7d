"""A speech service that may have heard the utterance already, while it was spoken."""

from processors.transcription.dictations import Dictations
from processors.transcription.engines import Question, SpeechEngine
from processors.transcription.recogniser import Recognition
from processors.transcription.remote import recognised


class DictatedEngine:
    """See `SpeechEngine`: the same service as `asking`, which is asked where it has not."""

    def __init__(self, dictations: Dictations, asking: SpeechEngine) -> None:
        self._dictations, self._asking = dictations, asking

    async def recognise(self, asked: Question, until_s: float) -> Recognition:
        heard = await self._dictations.finished(asked, until_s)
        if heard is not None:
            return recognised(heard, asked.length_ms)
        return await self._asking.recognise(asked, until_s)

    async def stop(self) -> None:
        await self._dictations.stop()
        await self._asking.stop()
