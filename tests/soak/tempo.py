"""How fast meetings are played: their time is the plan's, so that the same is said during the same movement.

A movement takes as long as the machine needs. Were meetings played by the clock, a slow machine would carry out its
last movements while nobody says anything any more.
"""

import threading
import time
from collections.abc import Sequence
from itertools import accumulate

POLL_S = 0.1


class Stopped(Exception):
    """Everything is being ended."""


class Tempo:
    """The time of a plan, shared by all meetings of an act. It goes on with the clock, stands at a movement's end until
    the next one is `entered`, and goes there at once when that comes early.

    `movements_s` is how long each movement is meant to take.
    """

    def __init__(self, movements_s: Sequence[float]) -> None:
        self._bounds_s = [0.0, *accumulate(movements_s)]
        self._changed = threading.Condition()
        self._number = -1
        self._entered_s = 0.0
        self._hurries, self._hurries_since_s = not movements_s, time.monotonic()
        self._stopped = False

    def entered(self, number: int) -> None:
        """The movement of that number begins."""
        with self._changed:
            self._number, self._entered_s = number, time.monotonic()
            self._changed.notify_all()

    def hurry(self) -> None:
        """The plan is done: what is left is played as fast as possible."""
        with self._changed:
            self._hurries, self._hurries_since_s = True, time.monotonic()
            self._changed.notify_all()

    @property
    def calm_s(self) -> float:
        """How long ago the plan was done; 0 before that."""
        return time.monotonic() - self._hurries_since_s if self._hurries else 0.0

    def stop(self) -> None:
        """Whoever waits, or will, gets Stopped."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait(self, until_s: float) -> None:
        """Until the plan's time is `until_s`. Raises Stopped."""
        with self._changed:
            while not self._stopped and not self._hurries and (missing_s := until_s - self._now_s()) > 0:
                self._changed.wait(min(missing_s, POLL_S))
        self.check()

    def pause(self, seconds: float) -> None:
        """For that long by the clock. Raises Stopped."""
        self.check()
        time.sleep(seconds)

    def check(self) -> None:
        if self._stopped:
            raise Stopped

    def _now_s(self) -> float:
        if self._number < 0:
            return 0.0
        begins_s, ends_s = self._bounds_s[self._number : self._number + 2]
        return min(ends_s, begins_s + time.monotonic() - self._entered_s)
