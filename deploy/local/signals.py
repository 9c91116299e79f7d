"""How a terminal ends a stack: the first Ctrl-C asks, the second insists."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The user, or whoever started us, wants us to end."""


def _interrupt() -> None:
    raise Interrupted


@contextmanager
def interruptible(insist: Callable[[], None], ask: Callable[[], None] = _interrupt) -> Iterator[None]:
    """Call `ask` at the first signal, `insist` at any later one; from the main thread, in the middle of anything.

    Unless told otherwise it asks by raising Interrupted. Where an event loop runs, that would end whichever task has
    its turn and nothing else: cancel the one that counts instead.
    """
    asked = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            insist()
            return
        asked = True
        ask()

    before = {number: signal.signal(number, on_signal) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
