"""The engines of side transcripts: there while something is made, and then no longer."""

from processors.transcription.accounts import Accounts
from processors.transcription.chain import Chain
from processors.transcription.child import COMMAND
from processors.transcription.configured import chain_of
from processors.transcription.keys import Keys
from processors.transcription.local import LocalEngine
from processors.transcription.pool import Pool
from processors.transcription.recogniser import Recognition, Unrecognised
from processors.transcription.settings import TranscriptionSettings
from processors.transcription.works import SpeechWork
from processors.transcription.yielding import Yielding
from schemas.settings import Engine

YIELDING = (*COMMAND, "15")
"""A recogniser that leaves the processor to the one that hears meetings."""


class Asking:
    """One recogniser process; at speech services the meetings' places, where these leave some."""

    def __init__(self, settings: TranscriptionSettings, keys: Keys, custom_async_url: str, accounts: Accounts) -> None:
        self._settings = settings.model_copy(update={"workers": 1})
        self._keys, self._custom_async_url, self._accounts = keys, custom_async_url, Yielding(accounts)
        self._chain: Chain | None = None

    async def recognise(self, work: SpeechWork, session_id: str) -> tuple[Engine, Recognition]:
        """Who understood an utterance of the session, and what."""
        asked = work.question(session_id)
        if isinstance(asked, Unrecognised):
            return work.engines[0], asked
        if self._chain is None:
            local = LocalEngine(Pool(self._settings, YIELDING))
            self._chain = chain_of(self._settings, self._keys, self._custom_async_url, self._accounts, local)
        return await self._chain.recognise(asked, work.engines)

    async def rest(self) -> None:
        """Nobody asks for now."""
        chain, self._chain = self._chain, None
        if chain is not None:
            await chain.stop()
