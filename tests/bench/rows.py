"""A figure beside its rival's, and whether that meets the goal. Pure."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    `ours` and `rival` are medians in `unit`, measured in turn within one run. `ratio` says how many times better we
    are; a row without a rival has none, and its goal is about `ours`. A row without a goal only informs.
    `met` is None where there is no goal, and where nothing could be measured (`note` then says what is missing).
    `first_goal` is what was asked for before `goal`, which is stricter, took its place.
    """

    name: str
    unit: str
    ours: float | None
    rival: float | None = None
    rival_name: str = ""
    goal: float | None = None
    first_goal: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        if self.ours is None or self.rival is None:
            return None
        over, under = (self.ours, self.rival) if self.more_is_better else (self.rival, self.ours)
        return over / under if under else None

    @property
    def met(self) -> bool | None:
        return self._meets(self.goal)

    @property
    def first_met(self) -> bool | None:
        return self._meets(self.first_goal)

    def document(self) -> dict[str, Any]:
        """What `bench.json` has of it."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met, "first_met": self.first_met}

    def _meets(self, goal: float | None) -> bool | None:
        if goal is None or self.ours is None:
            return None
        if not self.rival_name:
            return self.ours >= goal if self.more_is_better else self.ours <= goal
        return None if self.ratio is None else self.ratio >= goal
