"""What is compared with is heard once, and again where it could not be heard."""

import asyncio

from processors.transcription.engines import Question
from processors.transcription.local import LANGUAGE, LocalEngine
from processors.transcription.recogniser import Recognised, Recognition, Segment, Unrecognised
from tests.soak.hearing import Hearing

WORDS = Recognised((Segment("It was.", 0, 100),))


class Pool:
    """Hears the same in everything, once it hears at all."""

    def __init__(self, deaf: int = 0) -> None:
        self.deaf, self.asked = deaf, 0

    async def recognise(self, pcm: bytes, sample_rate_hz: int, budget_s: float) -> Recognition:
        self.asked += 1
        return Unrecognised("deaf", is_final=False) if self.asked <= self.deaf else WORDS


def heard(pool: Pool, *asked: Question) -> list[Recognition]:
    async def hear() -> list[Recognition]:
        engine = LocalEngine(pool)  # type: ignore[arg-type]
        return [await engine.recognise(one, asyncio.get_running_loop().time() + 10) for one in asked]

    return asyncio.run(hear())


def test_the_same_samples_are_heard_once_and_others_are_heard() -> None:
    pool, hearing = Pool(), Hearing()
    one, other = (Question(pcm, 16_000, LANGUAGE) for pcm in (b"one!", b"two!"))
    for _ in range(2):
        with hearing.kept():
            found = heard(pool, one, one, Question(one.pcm, 8_000, LANGUAGE), other)
        assert {answer.text for answer in found if isinstance(answer, Recognised)} == {WORDS.text}
    assert pool.asked == 3
    heard(pool, one)
    assert pool.asked == 4, "nothing is kept outside"


def test_what_could_not_be_heard_is_tried_again() -> None:
    pool, hearing, one = Pool(deaf=1), Hearing(), Question(b"one!", 16_000, LANGUAGE)
    with hearing.kept():
        first, second = heard(pool, one, one)
    assert (isinstance(first, Unrecognised), isinstance(second, Recognised)) == (True, True)
