"""Who is asked after whom, and how it ends."""

import asyncio
from collections.abc import Sequence

import pytest

from processors.transcription.chain import Chain, Patience
from processors.transcription.engines import Question
from processors.transcription.recogniser import Recognised, Recognition, Segment, Unrecognised
from schemas.settings import Engine
from tests.support.virtual_time import run

ASKED = Question(bytes(32_000), 16_000, "en")
WORDS = Recognised((Segment("yes", 0, 1000),))
PATIENCE = Patience(budget_s=300, share_s=30, pause_s=0.5)
FIRST, SECOND, LAST = Engine.DEEPGRAM, Engine.OPENAI, Engine.MOONSHINE


class Stand:
    """An engine: down until `up_s`, then it hears. Down, it takes all the time it is given, or says no at once."""

    def __init__(self, up_s: float = 0.0, refusal: Unrecognised | None = None) -> None:
        self._up_s, self._refusal = up_s, refusal
        self.asked: list[tuple[float, float]] = []
        self.later: list[Recognition] = []

    async def recognise(self, asked: Question, until_s: float) -> Recognition:
        now_s = asyncio.get_running_loop().time()
        self.asked.append((now_s, until_s))
        if self.later:
            return self.later.pop()
        if self._refusal is not None:
            return self._refusal
        if self._up_s > until_s:
            await asyncio.sleep(until_s - now_s)
            return Unrecognised("down")
        await asyncio.sleep(max(0.0, self._up_s - now_s))
        return WORDS

    async def stop(self) -> None:
        return


def answered(**engines: Stand) -> tuple[Engine, Recognition, float]:
    """The answer, whose it is, and how long it took."""
    given = {Engine(name): engine for name, engine in engines.items()}

    async def all_of_it() -> tuple[Engine, Recognition, float]:
        engine, answer = await Chain(given, PATIENCE).recognise(ASKED, order(given))
        return engine, answer, asyncio.get_running_loop().time()

    return run(all_of_it())


def order(engines: object) -> Sequence[Engine]:
    return [engine for engine in Engine if engine in engines]  # type: ignore[operator]


def test_the_first_is_asked_alone() -> None:
    second = Stand()
    assert answered(deepgram=Stand(), openai=second) == (FIRST, WORDS, 0)
    assert not second.asked


def test_a_delay_is_waited_for() -> None:
    assert answered(deepgram=Stand(up_s=29), openai=Stand()) == (FIRST, WORDS, 29)


def test_the_next_is_asked_when_its_share_is_over() -> None:
    assert answered(deepgram=Stand(up_s=1000), openai=Stand(up_s=1000), moonshine=Stand()) == (LAST, WORDS, 60)


def test_who_is_alone_has_all_the_time() -> None:
    assert answered(openai=Stand(up_s=299)) == (SECOND, WORDS, 299)
    alone = Stand(up_s=1000)
    engine, answer, took_s = answered(openai=alone)
    assert alone.asked == [(0, 300)]
    assert (engine, answer) == (SECOND, Unrecognised("down"))
    assert took_s == 300


def test_who_cannot_for_good_is_asked_once_and_gives_way_at_once() -> None:
    first = Stand(refusal=Unrecognised("credentials_invalid", is_final=True))
    assert answered(deepgram=first, openai=Stand(up_s=250)) == (SECOND, WORDS, 250)
    assert len(first.asked) == 1


def test_who_may_yet_is_asked_again_when_the_others_cannot() -> None:
    refused = Stand(refusal=Unrecognised("credentials_not_found", is_final=True))
    assert answered(deepgram=Stand(up_s=200), openai=refused) == (FIRST, WORDS, 200)
    assert len(refused.asked) == 1


def test_the_end_is_the_firsts_reason_in_time() -> None:
    reasons = {"deepgram": "rate_limit_exceeded", "openai": "timed_out"}
    engine, answer, took_s = answered(**{name: Stand(refusal=Unrecognised(why)) for name, why in reasons.items()})
    assert (engine, answer) == (FIRST, Unrecognised("rate_limit_exceeded"))
    assert took_s <= 300


def test_a_reason_outlives_the_end_of_the_time() -> None:
    late = [Unrecognised("timed_out"), Unrecognised("rate_limit_exceeded")]
    first = Stand(refusal=Unrecognised("timed_out"))
    first.later = late
    assert answered(deepgram=first)[1] == Unrecognised("rate_limit_exceeded")


def test_nobody_is_asked_in_haste() -> None:
    first = Stand(refusal=Unrecognised("no"))
    answered(deepgram=first)
    pauses = [late[0] - early[0] for early, late in zip(first.asked, first.asked[1:], strict=False)]
    assert min(pauses) == PATIENCE.pause_s


def test_when_all_refuse_nobody_waits() -> None:
    final = Unrecognised("credentials_not_found", is_final=True)
    assert answered(deepgram=Stand(refusal=final), moonshine=Stand(refusal=Unrecognised("language", True))) == (
        FIRST, Unrecognised("credentials_not_found"), 0,
    )  # fmt: skip


@pytest.mark.parametrize("up_s", [5, 45, 150, 1000])
def test_it_always_ends(up_s: float) -> None:
    _, _, took_s = answered(deepgram=Stand(up_s), openai=Stand(up_s), custom_async=Stand(up_s))
    assert took_s <= 300
