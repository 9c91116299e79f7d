"""Whom to leave alone after trouble, and how long. Pure."""

from collections.abc import Hashable

FIRST_S = 1.0
LONGEST_S = 60.0
FORGOTTEN_S = 600.0
"""Trouble that is over for so long is none any more."""


class Rests:
    """Of anybody who can fail; who has failed again and again rests longer each time, up to a minute."""

    def __init__(self) -> None:
        self._rests: dict[Hashable, tuple[float, float]] = {}

    def rests(self, whom: Hashable, now_s: float) -> bool:
        """Whether to leave them alone now."""
        return self._rests.get(whom, (0.0, 0.0))[0] > now_s

    def is_doubted(self, whom: Hashable) -> bool:
        """Whether the last thing that is known of them is trouble."""
        return whom in self._rests

    def failed(self, whom: Hashable, now_s: float, *, at_least_s: float = 0.0, is_final: bool = False) -> bool:
        """Trouble; they wish for `at_least_s`. Where it `is_final` the next time would be the same. False where it is
        no news: it was met by who had begun before."""
        if self.rests(whom, now_s):
            return False
        self._forget(now_s)
        _, last_s = self._rests.get(whom, (0.0, 0.0))
        rest_s = LONGEST_S if is_final else min(LONGEST_S, max(FIRST_S, 2 * last_s, at_least_s))
        self._rests[whom] = now_s + rest_s, rest_s
        return True

    def went_well(self, whom: Hashable) -> None:
        """No trouble any more."""
        self._rests.pop(whom, None)

    def _forget(self, now_s: float) -> None:
        for whom in [whom for whom, (until_s, _) in self._rests.items() if until_s + FORGOTTEN_S < now_s]:
            del self._rests[whom]
