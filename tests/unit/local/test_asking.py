"""What the API cannot do now it is asked for again, for as long as somebody has patience."""

import threading
from collections.abc import Callable, Iterator

import httpx

from deploy.local.asking import PATIENCE_S, answered


class Waits(threading.Event):
    """Nobody waits; how long it would have been, and at which wait it is time to close."""

    def __init__(self, closes_at: int = 0) -> None:
        super().__init__()
        self.waited: list[float | None] = []
        self._closes_at = closes_at

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        return len(self.waited) == self._closes_at


def later(retry_after: str | None = "0") -> httpx.Response:
    body = httpx.ByteStream(b"busy")
    return httpx.Response(503, headers={} if retry_after is None else {"Retry-After": retry_after}, stream=body)


def giving(answers: Iterator[httpx.Response]) -> Callable[[], httpx.Response]:
    return lambda: next(answers)


def test_it_is_asked_again_after_as_long_as_each_answer_says() -> None:
    waits, put_off, answers = Waits(), [later("2"), later(None)], [httpx.Response(404), httpx.Response(200)]
    assert answered(giving(iter(put_off + answers)), closing=waits).status_code == 404
    assert waits.waited == [2.0, 1.0]
    assert [answer.is_closed for answer in put_off] == [True, True], "what was streamed holds a connection"


def test_what_is_not_put_off_is_not_waited_for() -> None:
    waits, done = Waits(), httpx.Response(200)
    assert answered(giving(iter([done])), closing=waits) is done
    assert waits.waited == []


def test_when_patience_is_over_the_answer_is_what_it_is() -> None:
    last = later()
    assert answered(giving(iter([last])), patience_s=-1.0) is last
    assert not last.is_closed, "it says why"


def test_who_is_to_come_again_later_than_there_is_patience_does_not_wait() -> None:
    waits, last = Waits(), later(str(2 * PATIENCE_S))
    assert answered(giving(iter([later(), last])), closing=waits) is last
    assert waits.waited == [0.0]


def test_who_closes_asks_no_more() -> None:
    last = later()
    assert answered(giving(iter([later(), last])), closing=Waits(closes_at=2)) is last
