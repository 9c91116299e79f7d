"""A speech service on the network as an engine: bounded in flight, asked again with growing pauses."""

import asyncio
from contextlib import suppress

from connectors.host.backoff import delays_s
from connectors.speech.client import SpeechClient
from connectors.speech.exchange import Failure, FileType, Heard, Service
from processors.transcription import metrics
from processors.transcription.accounts import NOTHING_HEARD, Account, Accounts
from processors.transcription.engines import Question
from processors.transcription.keys import Keys, Unreadable
from processors.transcription.recogniser import Recognised, Recognition, Segment, Unrecognised, Word
from processors.transcription.sound_files import sound_file
from processors.transcription.yielding import Yielding
from schemas.settings import Engine
from schemas.transcription_codes import Reason

MOST_DELAY_S = 30.0

UNREADABLE = Failure(Reason.CREDENTIALS_NOT_FOUND, is_final=False)


class RemoteEngine:
    """See `SpeechEngine`. What waits for its next attempt takes no place from others; where the service asked for a
    pause, it is for all who ask with the same key."""

    def __init__(
        self,
        engine: Engine,
        service: Service,
        client: SpeechClient,
        keys: Keys,
        accounts: Accounts | Yielding,
        *,
        delay_s: float,
    ) -> None:
        self._engine, self._service, self._client = engine, service, client
        self._keys, self._accounts = keys, accounts
        self._delay_s = delay_s

    async def recognise(self, asked: Question, until_s: float) -> Recognition:
        try:
            account = await self._account(asked, until_s)
        except TimeoutError:
            return Unrecognised(Reason.TIMED_OUT)
        except Unreadable:
            readable = await self._once_readable(asked, until_s)
            if isinstance(readable, Unrecognised):
                return readable
            account = readable
        try:
            async with self._accounts.held(account):
                return await self._stubborn(account, asked, until_s)
        except TimeoutError:  # had to go
            return Unrecognised((account.failure or NOTHING_HEARD).reason, is_final=True)

    async def stop(self) -> None:
        await self._client.close()

    async def _account(self, asked: Question, until_s: float) -> Account:
        """Whose key it is asked with: the project's own before the operator's. Raises TimeoutError, Unreadable."""
        async with asyncio.timeout_at(until_s):
            key = await self._keys.of(asked.project_id, self._engine, is_needed=not self._service.is_usable)
        return self._accounts.of(self._engine, self._service, key)

    async def _once_readable(self, asked: Question, until_s: float) -> Account | Unrecognised:
        """Waits for a key that was encrypted with one that this process does not have yet, as for one in trouble: what
        is not heard when it is started anew with that, its successor asks for."""
        loop = asyncio.get_running_loop()
        nobodys = self._accounts.of(self._engine, self._service, f"unreadable {asked.project_id}")
        try:
            async with self._accounts.held(nobodys):
                for delay_s in delays_s(self._delay_s, longest_s=MOST_DELAY_S):
                    self._accounts.noted(nobodys, UNREADABLE)
                    if loop.time() + delay_s >= until_s:
                        break
                    await asyncio.sleep(delay_s)
                    with suppress(Unreadable):
                        return await self._account(asked, until_s)
        except TimeoutError:  # had to go, or the time is over
            return Unrecognised(UNREADABLE.reason, is_final=loop.time() < until_s)
        return Unrecognised(UNREADABLE.reason)

    async def _stubborn(self, account: Account, asked: Question, until_s: float) -> Recognition:
        loop, found, sound = asyncio.get_running_loop(), NOTHING_HEARD, _Sound(asked, self._service.file_type)
        for delay_s in delays_s(self._delay_s, longest_s=MOST_DELAY_S):
            answer = await self._placed(account, sound, asked, until_s)
            if isinstance(answer, Heard):
                return recognised(answer, asked.length_ms)
            if answer is not NOTHING_HEARD:
                found = answer
            next_s = max(loop.time() + delay_s, account.paused_until_s)
            if found.is_final or next_s >= until_s:
                return Unrecognised(found.reason, found.is_final)
            metrics.RETRIES.inc()
            await asyncio.sleep(next_s - loop.time())
        raise AssertionError("there is always a next delay")

    async def _placed(self, account: Account, sound: "_Sound", asked: Question, until_s: float) -> Heard | Failure:
        """One attempt, when there is a place for it and no pause."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(until_s), self._accounts.place(account):
                while (pause_s := account.paused_until_s - loop.time()) > 0:
                    if account.paused_until_s >= until_s:
                        return account.paused
                    await asyncio.sleep(pause_s)
                return await self._attempt(account, sound, asked)
        except TimeoutError:
            return NOTHING_HEARD

    async def _attempt(self, account: Account, sound: "_Sound", asked: Question) -> Heard | Failure:
        answer = await self._client.ask(account.service, await sound.file(), asked.options_of(self._engine))
        failure = answer if isinstance(answer, Failure) else None
        metrics.ATTEMPTS.labels(self._engine, failure.reason if failure else "heard").inc()
        self._accounts.noted(account, failure)
        return answer


class _Sound:
    """The sound as the service takes it, made when it is first sent: most of what waits in a pause never is."""

    def __init__(self, asked: Question, file_type: FileType) -> None:
        self._asked, self._file_type = asked, file_type
        self._file: bytes | None = None

    async def file(self) -> bytes:
        if self._file is None:
            pcm, rate_hz = self._asked.pcm, self._asked.sample_rate_hz
            self._file = await asyncio.to_thread(sound_file, pcm, rate_hz, self._file_type)
        return self._file


def recognised(answer: Heard, length_ms: int) -> Recognised:
    """The answer in ms; words that the sound is too short for end with it."""

    def within_ms(time_s: float) -> int:
        return round(min(time_s * 1000, length_ms))

    words = tuple(Word(word.text, within_ms(word.start_s), within_ms(word.end_s)) for word in answer.words)
    segments = (Segment(answer.text, 0, length_ms),) if answer.text else ()
    return Recognised(segments, words, answer.language, answer.model)
