"""When which part of a stage was disturbed and not yet well again: what a client of the API has to put up with. Pure.

Times are seconds on one clock that only goes forward.
"""

import math
import threading
from collections import defaultdict
from collections.abc import Iterable

GRACE_S = 10.0
"""After a part is well again: others have to find it, and there is a backlog."""


class Troubles:
    """Safe to use from several threads."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._spans: dict[str, list[list[float]]] = defaultdict(list)

    def began(self, name: str, at_s: float) -> None:
        """No more than once at a time: while one lasts, another is the same."""
        with self._lock:
            if not self._lasts(name):
                self._spans[name].append([at_s, math.inf])

    def over(self, name: str, at_s: float) -> None:
        with self._lock:
            if self._lasts(name):
                self._spans[name][-1][1] = at_s

    def lasted(self, name: str, began_s: float, over_s: float) -> None:
        """One that is known of only afterwards; what is going on goes on."""
        with self._lock:
            self._spans[name].insert(0, [began_s, over_s])

    def explain(self, names: Iterable[str], since_s: float, until_s: float) -> bool:
        """Whether one of these was in trouble, or had just been, at any moment between the two."""
        with self._lock:
            return any(
                began_s <= until_s and since_s <= over_s + self._grace_s
                for name in names
                for began_s, over_s in self._spans[name]
            )

    def _lasts(self, name: str) -> bool:
        return bool(self._spans[name]) and self._spans[name][-1][1] == math.inf
