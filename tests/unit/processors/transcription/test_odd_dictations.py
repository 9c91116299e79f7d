"""Utterances that are heard while they are spoken by a service that says too little or too much, in no time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import pytest

from connectors.speech.deepgram_live import DeepgramLive
from connectors.speech.dictation import Opening
from connectors.speech.exchange import Heard
from processors.transcription import dictations
from processors.transcription.dictation import Ending
from processors.transcription.dictations import Bounds, Dictations
from processors.transcription.keys import NoKeys
from schemas.settings import Engine
from tests.support.dictated import question
from tests.support.speech_service import KEY
from tests.support.virtual_time import run


class Unread:
    """A service that takes one message of sound and then reads no more."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []

    @asynccontextmanager
    async def opened(self, opening: Opening) -> AsyncIterator[Self]:
        yield self

    async def send(self, message: str | bytes) -> None:
        self.sent.append(message)
        await asyncio.Event().wait()

    async def receive(self) -> str | bytes:
        await asyncio.Event().wait()
        raise AssertionError


class Talkative(Unread):
    """A service that tells something every second, for ever."""

    async def send(self, message: str | bytes) -> None:
        self.sent.append(message)

    async def receive(self) -> str | bytes:
        await asyncio.sleep(1)
        return '{"type": "SpeechStarted"}'


def at(client: Unread) -> Dictations:
    service = DeepgramLive("https://api.deepgram.com", KEY)
    return Dictations(Engine.DEEPGRAM, service, client, NoKeys(), Bounds(2, 1, 1.5))  # type: ignore[arg-type]


def test_what_nobody_ends_is_let_go_however_much_is_told_of_it(counts: Callable[[Ending], float]) -> None:
    async def spoken() -> float:
        found = at(Talkative())
        assert await found.glimpsed(question(1_000)) is None
        await asyncio.sleep(0)
        assert found._open == {}
        return asyncio.get_running_loop().time()

    assert run(spoken()) == pytest.approx(dictations.LONGEST_S)
    assert counts(Ending.DROPPED) == 1


def test_who_is_taken_away_before_they_began_keeps_nobody_waiting(counts: Callable[[Ending], float]) -> None:
    async def spoken() -> tuple[Heard | None, float]:
        found = at(Talkative())
        looking = asyncio.create_task(found.glimpsed(question(1_000)))
        await asyncio.sleep(0)
        await found.stop()
        async with asyncio.timeout(1):
            assert await looking is None
        heard = await found.finished(question(1_200), 300)
        return heard, asyncio.get_running_loop().time()

    assert run(spoken()) == (None, 0.0)
    assert counts(Ending.DROPPED) == 1


def test_what_is_over_keeps_no_sound() -> None:
    async def spoken() -> bytes:
        found = at(Talkative())
        for utterance_id in ("utt_1", "utt_2"):  # there is room for one
            looking = asyncio.create_task(found.glimpsed(question(1_000, utterance_id)))
            await asyncio.sleep(0)
        assert await looking is None
        sound = found._begun["utt_2"].dictation._sound
        await found.stop()
        return sound

    assert run(spoken()) == b""


def test_who_does_not_read_holds_up_nobody() -> None:
    client = Unread()

    async def spoken() -> tuple[Heard | None, float]:
        found = at(client)
        for ms in range(600, 3_000, 200):
            looking = asyncio.create_task(found.glimpsed(question(ms)))
            await asyncio.sleep(0.2)
        began_s = asyncio.get_running_loop().time()
        heard = await found.finished(question(3_200), began_s + 300)
        assert await looking is None
        await found.stop()
        return heard, asyncio.get_running_loop().time() - began_s

    assert run(spoken()) == (None, pytest.approx(1.5))
    assert len(client.sent) == 1
