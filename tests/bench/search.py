"""Finds the greatest number that still passes, in few tries: each costs seconds. Pure."""

from dataclasses import dataclass

_SPREAD = 1.06
"""Where the greatest passing and the smallest failing number are this close, more tries would only measure noise."""


@dataclass(slots=True)
class Search:
    """Ask `next`, try that number, `tell`; `best` is the answer once `next` is None.

    `limit` is the load at which a number should just pass; what a number's load was guides the next guess, since load
    grows about as the number does. Between a pass and a failure the guess stays inside.
    """

    start: int
    limit: float
    tries: int
    best: int = 0
    _failed: int | None = None
    _guess: int = 0

    def next(self) -> int | None:
        """The number to try now."""
        if self.tries <= 0 or (self._failed is not None and self._failed <= max(self.best + 1, self.best * _SPREAD)):
            return None
        return self._guess or self.start

    def tell(self, number: int, load: float, *, passed: bool) -> None:
        """What became of a try; a load of 0 says nothing."""
        self.tries -= 1
        if passed:
            self.best = max(self.best, number)
        else:
            self._failed = number if self._failed is None else min(self._failed, number)
        self._guess = self._inside(round(number * self.limit / load) if load > 0 else number)

    def _inside(self, guess: int) -> int:
        """Strictly between what passed and what failed; the middle when the load says otherwise."""
        if self._failed is None:
            return max(guess, self.best + max(1, self.best // 10))
        if self.best < guess < self._failed:
            return guess
        return max(self.best + 1, (self.best + self._failed) // 2)
