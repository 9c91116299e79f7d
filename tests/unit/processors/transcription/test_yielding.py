"""Questions beside the meetings: the same key's places and pauses, behind everybody else."""

import asyncio
from collections.abc import Sequence

import pytest

from connectors.speech.exchange import Failure, Heard
from connectors.speech.openai import OpenAI
from processors.transcription.accounts import Accounts
from processors.transcription.engines import Question
from processors.transcription.recogniser import Recognised, Recognition, Unrecognised
from processors.transcription.remote import RemoteEngine
from processors.transcription.yielding import STEP_BACK_S, Yielding
from schemas.settings import Engine
from schemas.transcription_codes import Reason
from tests.support.virtual_time import run
from tests.unit.processors.transcription.test_remote import HEARD, ByKey, Ring

MEETING, BESIDE = (Question(bytes(32_000), 16_000, "en", project_id=name) for name in ("meeting", "beside"))


class Both:
    """A meeting's engine and the one beside it, with the same key or each with its own; who was asked, and when."""

    def __init__(self, answers: Sequence[Heard | Failure] = (HEARD,), takes_s: float = 10.0, **keys: str) -> None:
        self.asked: list[tuple[str, float]] = []
        self._answers, self._takes_s = list(answers), takes_s
        accounts, service = Accounts(1, 1), OpenAI("https://api.openai.com/v1", "operators")
        self.meeting, self.beside = (
            RemoteEngine(Engine.OPENAI, service, self._client(name), Ring(**keys), of, delay_s=0.5)  # type: ignore[arg-type]
            for name, of in (("meeting", accounts), ("beside", Yielding(accounts)))
        )

    def _client(self, name: str) -> ByKey:
        class Client(ByKey):
            async def ask(_, *__: object) -> Heard | Failure:
                self.asked.append((name, asyncio.get_running_loop().time()))
                await asyncio.sleep(self._takes_s)
                return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

        return Client()

    def of_meeting(self) -> asyncio.Task[Recognition]:
        return asyncio.create_task(self.meeting.recognise(MEETING, 300))

    def of_beside(self) -> asyncio.Task[Recognition]:
        return asyncio.create_task(self.beside.recognise(BESIDE, 300))

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def test_meetings_come_first_and_there_are_no_places_besides() -> None:
    async def asking() -> Both:
        both = Both()
        asked = [both.of_meeting()]
        await asyncio.sleep(1)
        asked += [both.of_beside(), both.of_meeting()]
        await asyncio.sleep(13)
        asked.append(both.of_meeting())
        assert all(isinstance(answer, Recognised) for answer in await asyncio.gather(*asked))
        return both

    both = run(asking())
    assert both.names() == ["meeting"] * 3 + ["beside"]
    assert both.asked[-1][1] >= 30, "not before a place is free"


def test_meetings_that_leave_no_place_are_not_waited_for_for_ever() -> None:
    async def asking() -> Both:
        both = Both()
        meetings = [both.of_meeting() for _ in range(12)]
        beside = both.of_beside()
        for _ in range(12):
            await asyncio.sleep(10)
            meetings.append(both.of_meeting())
        assert isinstance(await beside, Recognised)
        await asyncio.gather(*meetings)
        return both

    both = run(asking())
    [at_s] = [at_s for name, at_s in both.asked if name == "beside"]
    assert STEP_BACK_S < at_s < 200, "the last meeting is asked at 230"


def test_a_pause_is_for_both_and_another_key_is_nobodys_trouble() -> None:
    limited = Failure(Reason.RATE_LIMIT_EXCEEDED, is_final=False, retry_after_s=20)

    async def asking(**keys: str) -> float:
        both = Both([limited, HEARD], takes_s=0.0, **keys)
        meeting = both.of_meeting()
        await asyncio.sleep(1)
        await asyncio.gather(meeting, both.of_beside())
        return next(at_s for name, at_s in both.asked if name == "beside")

    assert run(asking()) == pytest.approx(20, abs=1)
    assert run(asking(meeting="a", beside="b")) == 1


def test_nobody_has_to_go_because_of_these() -> None:
    """Though one place is all that may wait for a project's key in trouble."""
    failing = Failure(Reason.TRANSCRIPTION_REQUEST_FAILED, is_final=False)

    async def asking() -> Sequence[Recognition]:
        both = Both([failing], takes_s=0.0, meeting="a", beside="a")
        return await asyncio.gather(both.of_meeting(), both.of_beside(), both.of_beside())

    assert run(asking()) == [Unrecognised(failing.reason, is_final=False)] * 3
