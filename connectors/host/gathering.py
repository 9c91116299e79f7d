"""When an event loop with many sockets looks for what has come. Pure.

To wake up for one frame costs more than the frame does: the kernel's way in and out, and code that is in no cache any
more. Where much comes, a loop that looks only every few milliseconds finds several sockets ready and does the same for
less. Where little comes it would find one, later: so it looks at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

WORTH_IT = 2
"""So many sockets have to be ready at a look, on average, for waiting to pay."""

WINDOW_S = 0.1
"""So long it is counted how many are."""


@dataclass(slots=True)
class Gathering:
    """`gather_s` is how long after a look there is none; 0: there is one whenever something comes.

    `_ready` are the sockets that one look would have found, had there been none since `_turn_s`.
    """

    gather_s: float
    _is_worth_it: bool = False
    _looked_s: float = 0.0
    _turn_s: float = 0.0
    _ready: set[int] = field(default_factory=set)
    _since_s: float = 0.0
    _found: int = 0

    def wait_s(self, now_s: float) -> float:
        """For how long not to look yet, 0 when it is time."""
        return max(0.0, self._looked_s + self.gather_s - now_s) if self._is_worth_it else 0.0

    def looked(self, now_s: float, ready: Iterable[int]) -> None:
        """These sockets were ready."""
        if now_s - self._turn_s >= self.gather_s:
            self._turn(now_s)
        self._ready.update(ready)
        self._looked_s = now_s

    def _turn(self, now_s: float) -> None:
        self._found += len(self._ready)
        self._ready.clear()
        self._turn_s = now_s
        passed_s = now_s - self._since_s
        if passed_s >= WINDOW_S:
            self._is_worth_it = self._found * self.gather_s >= WORTH_IT * passed_s
            self._since_s, self._found = now_s, 0
