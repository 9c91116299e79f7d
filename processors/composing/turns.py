"""Whose recording is drawn next: projects take turns, so one's long queue holds up nobody else's. Pure."""

from collections import Counter
from collections.abc import Sequence

from processors.composing.due import Order


class Turns:
    """Remembers when each project had its last turn."""

    def __init__(self) -> None:
        self._turn = 0
        self._last: dict[str, int] = {}

    def take(self, waiting: Sequence[Order], drawn: Counter[str]) -> Order:
        """The order that is next; `waiting`, by rank, has at least one, `drawn` says how many are drawn of a project.

        What somebody waits for comes before what is late, whoever's turn it is; within a project the rank decides.
        """
        chosen = min(waiting, key=lambda order: (not order.is_awaited, drawn[order.project_id], self._of(order)))
        self._turn += 1
        self._last[chosen.project_id] = self._turn
        return chosen

    def _of(self, order: Order) -> int:
        return self._last.get(order.project_id, 0)
