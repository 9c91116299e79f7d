"""Waits for what is away, in one way: said once in the log, all the while in readiness, and until a stop at most."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from typing import TypeVar

from connectors.host.clock import Clock, SystemClock
from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.signals import StopSignal

log = get_logger(__name__)

RETRY_S = 1.0
SILENCE_S = 3.0
"""A call that takes longer is worth a word; what answers at all answers sooner."""

LONGEST_S = 600.0
"""No call that is waited for here takes longer, however slow the answers are: the longest asks the registry for every
schema, one after the other. One that does will never return, and stands still like any other (ADR 45)."""

_LOOK_S = 0.1

Result = TypeVar("Result")


class Stopped(Exception):
    """The process was told to stop before what it waited for was there."""


class Waiting:
    """For one thing that may be away, on behalf of everybody in this process that needs it; for any thread.

    `where` is its address: what people look at first.
    """

    def __init__(self, what: str, health: Health | None = None, where: str = "", clock: Clock | None = None) -> None:
        self._what, self._health, self._where = what, health, where
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._waiting: set[Hashable] = set()

    def begin(self, who: Hashable, reason: str) -> None:
        """`who` cannot go on without it; may be said again and again."""
        with self._lock:
            is_first = not self._waiting
            self._waiting.add(who)
            if is_first:
                log.warning("waiting", what=self._what, where=self._where, reason=reason)
            at = f" at {self._where}" if self._where else ""
            self._tell(False, f"waiting for {self._what}{at}: {reason}")

    def end(self, who: Hashable) -> None:
        """`who` goes on, or has nothing left to do with it; harmless when it did not wait."""
        with self._lock:
            if who not in self._waiting:
                return
            self._waiting.discard(who)
            if not self._waiting:
                log.info("no longer waiting", what=self._what)
                self._tell(True, "")

    def until_there(self, call: Callable[[], Result], stop: StopSignal) -> Result:
        """What `call` returns, tried again while its error is one that passes (`retryable`).

        Raises:
            Stopped: at once, also while a call is under way, which is then left to itself.
        """
        while True:
            try:
                result = self._attempt(call, stop)
            except Exception as error:
                if not getattr(error, "retryable", False):
                    raise
                self.begin(call, str(error))
            else:
                self.end(call)
                return result
            if stop.wait_thread(RETRY_S):
                raise Stopped

    def _attempt(self, call: Callable[[], Result], stop: StopSignal) -> Result:
        result: Future[Result] = Future()

        def run() -> None:
            try:
                result.set_result(call())
            except Exception as error:  # noqa: BLE001  whoever waits for the result gets it
                result.set_exception(error)

        began = self._clock.monotonic()
        threading.Thread(target=run, name=f"waiting-{self._what}", daemon=True).start()
        while True:
            took_s = self._clock.monotonic() - began
            if self._health is not None and took_s <= LONGEST_S:
                self._health.beat()  # also where the answer comes at once, as from who is not there at all
            if wait([result], _LOOK_S).done:
                return result.result()
            if stop.is_set():
                raise Stopped
            if took_s > SILENCE_S:
                self.begin(call, "no answer yet")

    def _tell(self, is_there: bool, reason: str) -> None:
        if self._health is not None:
            self._health.ready(is_there, reason, self._what)
