"""What is drawn first."""

from collections import Counter
from dataclasses import replace

from processors.composing.due import Order, orders_of
from processors.composing.turns import Turns
from processors.shell.due import Due
from tests.unit.schemas.test_composing import DRAWN, LATE, WHOLE
from tests.unit.schemas.test_copies import life


def test_what_somebody_waits_for_comes_before_what_is_late_already() -> None:
    waiting, late = life(*WHOLE), life(*WHOLE, LATE)
    due = Due(orders_of)
    for name, state, created_at_ms in (("a", late, 1), ("c", waiting, 3), ("b", waiting, 2)):
        due.hear(0, name, replace(state, session_id=name, created_at_ms=created_at_ms))
    assert [order.session_id for order in due.orders()] == ["b", "c", "a"]


def test_to_be_late_makes_it_no_other_order() -> None:
    [waiting], [late] = orders_of(life(*WHOLE), 0), orders_of(life(*WHOLE, LATE), 0)
    assert waiting == late
    assert (waiting.is_awaited, late.is_awaited) == (True, False)
    assert orders_of(life(*WHOLE, DRAWN), 0) == []


def test_projects_take_turns_and_what_is_late_waits_for_all_that_is_awaited() -> None:
    [one] = orders_of(life(*WHOLE), 0)

    def of(project: str, *, is_awaited: bool = True) -> Order:
        return replace(one, project_id=project, is_awaited=is_awaited)

    waiting, turns = [of("a"), of("a"), of("a"), of("b"), of("c"), of("d", is_awaited=False)], Turns()
    taken = []
    while waiting:
        taken.append(turns.take(waiting, Counter()))
        del waiting[next(at for at, order in enumerate(waiting) if order is taken[-1])]
    assert [order.project_id for order in taken] == ["a", "b", "c", "a", "a", "d"]
    assert Turns().take([of("a"), of("b")], Counter(a=1)).project_id == "b", "who has nothing drawn comes first"
