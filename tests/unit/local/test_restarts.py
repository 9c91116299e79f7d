"""A process that keeps crashing is tried less and less often; one that has recovered starts afresh."""

from __future__ import annotations

from deploy.local.restarts import FIRST_DELAY_S, GIVEN_UP_AFTER, LONGEST_DELAY_S, STEADY_S, Restarts


def crash_loop(times: int) -> list[float]:
    delays, now, known = [], 0.0, Restarts(0.0)
    for _ in range(times):
        known = known.crashed(now)
        assert known.due_at is not None
        delays.append(known.due_at - now)
        now = known.due_at
        known = known.launched(now)
    return delays


def test_delays_double_up_to_the_longest() -> None:
    delays = crash_loop(10)

    assert delays[:3] == [FIRST_DELAY_S, 2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S]
    assert delays[-1] == LONGEST_DELAY_S


def test_a_long_life_forgives_earlier_crashes() -> None:
    known = Restarts(0.0, crashes=7).launched(100.0).crashed(100.0 + STEADY_S)

    assert known.crashes == 1


def test_what_keeps_crashing_is_hopeless_until_it_has_lived_long() -> None:
    known = Restarts(0.0, crashes=GIVEN_UP_AFTER - 1)

    assert not known.is_hopeless
    assert known.crashed(1.0).is_hopeless
    assert not known.crashed(STEADY_S).is_hopeless


def test_a_restart_is_due_only_after_its_delay() -> None:
    known = Restarts(0.0).crashed(10.0)

    assert not known.is_due(10.0)
    assert known.is_due(10.0 + FIRST_DELAY_S)
    assert not known.launched(11.0).is_due(1000.0)
