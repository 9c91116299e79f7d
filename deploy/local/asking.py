"""Asks the API as it wants to be asked: what it cannot do now, again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx

LATER = 503
"""What the API answers to what it cannot do now; asking again is always safe."""

PATIENCE_S = 30.0
"""For so long it is asked again: a busy machine is behind for a moment, what takes longer is a fault."""


def answered(
    ask: Callable[[], httpx.Response], patience_s: float = PATIENCE_S, closing: threading.Event | None = None
) -> httpx.Response:
    """The first answer that is not `LATER`, asked for again after as long as each one says.

    One that is still `LATER` when the patience is over, or when somebody is `closing`, is the caller's to judge. The
    answers before it are closed: they may have been streamed.
    """
    closing = closing or threading.Event()
    until_s = time.monotonic() + patience_s
    while (answer := ask()).status_code == LATER:
        after_s = float(answer.headers.get("Retry-After", 1))
        if time.monotonic() + after_s > until_s or closing.wait(after_s):
            break
        answer.close()
    return answer
