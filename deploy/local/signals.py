"""How a terminal ends a stack: the first Ctrl-C asks, the second insists."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The user, or whoever started us, wants us to end."""


@contextmanager
def interruptible(insist: Callable[[], None]) -> Iterator[None]:
    """Raise Interrupted in the main thread at the first signal, call `insist` at any later one."""
    asked = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            insist()
            return
        asked = True
        raise Interrupted

    before = {number: signal.signal(number, on_signal) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
