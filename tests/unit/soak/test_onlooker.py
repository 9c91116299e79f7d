"""The client complains of everything that a user need not put up with, and of nothing else."""

import time
from types import SimpleNamespace

import httpx
import pytest

from tests.soak.faults import API, CLICKHOUSE, KAFKA
from tests.soak.onlooker import CREATE, SESSION, TRANSCRIPT, Onlooker, Question
from tests.soak.troubles import Troubles

AGAIN = {"Retry-After": "1"}


def asked(question: Question, answer: httpx.Response | Exception, unwell: str | None, times: int = 1) -> Onlooker:
    troubles = Troubles()
    if unwell is not None:
        troubles.began(unwell, time.monotonic())
    onlooker = Onlooker(SimpleNamespace(sessions={}), troubles, "act")  # type: ignore[arg-type]

    def answered(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with httpx.Client(transport=httpx.MockTransport(answered)) as http:
        for _ in range(times):
            onlooker.ask(http, question, "http://api/x")
    return onlooker


@pytest.mark.parametrize(
    ("question", "answer", "unwell"),
    [
        (SESSION, httpx.Response(200), None),
        (CREATE, httpx.Response(201), KAFKA),
        (SESSION, httpx.ConnectError("refused"), API),
        (SESSION, httpx.ReadTimeout("frozen"), API),
        (CREATE, httpx.Response(503, headers=AGAIN), KAFKA),
        (TRANSCRIPT, httpx.Response(503, headers=AGAIN), CLICKHOUSE),
    ],
)
def test_an_answer_or_a_reason(question: Question, answer: httpx.Response | Exception, unwell: str | None) -> None:
    onlooker = asked(question, answer, unwell)
    assert not onlooker.complaints
    assert onlooker.answered.total() + onlooker.refused.total() == 1


@pytest.mark.parametrize(
    ("question", "answer", "unwell", "said"),
    [
        (SESSION, httpx.Response(500, text="x"), API, "session: 500 x"),
        (SESSION, httpx.Response(404, text="x"), API, "session: 404 x"),
        (CREATE, httpx.Response(401), KAFKA, "create: 401"),
        (CREATE, httpx.ReadTimeout("slow"), CLICKHOUSE, "ReadTimeout although"),
        (CREATE, httpx.Response(503), KAFKA, "without Retry-After"),
    ],
)
def test_no_answer_and_no_reason(
    question: Question, answer: httpx.Response | Exception, unwell: str | None, said: str
) -> None:
    [complaint] = asked(question, answer, unwell).complaints
    assert said in complaint


@pytest.mark.parametrize(
    ("question", "unwell", "said"),
    [
        (SESSION, None, "although api had no trouble"),
        (SESSION, KAFKA, "although api had no trouble"),
        (TRANSCRIPT, KAFKA, "although api, clickhouse had no trouble"),
    ],
)
def test_a_busy_machine_is_asked_again_once(question: Question, unwell: str | None, said: str) -> None:
    busy = httpx.Response(503, headers=AGAIN)
    complaints = asked(question, busy, unwell, times=2).complaints
    assert list(complaints.values()) == [1]
    assert said in next(iter(complaints))
