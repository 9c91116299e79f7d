"""What makes a figure void, and a number of sessions too many."""

from dataclasses import replace

import pytest

from tests.bench import sdk, sessions
from tests.bench.sessions import Try, judged
from tests.bench.streams.pacing import Load
from tests.bench.wire import Lossy, check

ANSWER = {"ended": [], "lost": 0, "total": 100, "delivered": 104}
FINE = Try(cpu=0.8, lag_ms=20.0, arrived=0.98, sender_late_ms=1.0)


def test_every_frame_acknowledged_and_in_the_log():
    check(ANSWER, 100, 104)


@pytest.mark.parametrize(
    ("changes", "in_log"),
    [({"lost": 1}, 104), ({"total": 99}, 104), ({"delivered": 99}, 104), ({}, 103), ({"ended": ["Outcome"]}, 104)],
)
def test_a_figure_with_losses_is_void(changes, in_log):
    with pytest.raises(Lossy):
        check(ANSWER | changes, 100, in_log)


def test_sessions_pass_within_all_limits():
    assert FINE.passed
    assert not replace(FINE, cpu=0.81).passed
    assert not replace(FINE, lag_ms=20.1).passed
    assert not replace(FINE, arrived=0.97).passed


def test_what_was_watched_is_a_share_of_one_core_and_of_what_was_due():
    watched = {"cpu_s": 2.0, "wall_s": 4.0, "lag_p99_ms": 3.0, "frames": 10 * 55 * 4, "lost": 0, "ended": []}
    sent = {"late_ms": 2.0}
    assert judged(watched, sent, Load(10, 100)) == Try(0.5, 3.0, 1.0, 2.0)
    assert judged(watched | {"lost": 1}, sent, Load(10, 100)).arrived == 0
    assert judged(watched | {"ended": ["Outcome"]}, sent, Load(10, 100)).arrived == 0


@pytest.mark.parametrize(
    ("outcomes", "passed", "tries"),
    [
        ([FINE], True, 1),
        ([replace(FINE, lag_ms=90.0), FINE], True, 2),  # somebody else was on the core
        ([replace(FINE, lag_ms=90.0), replace(FINE, arrived=0.5)], False, 2),
        ([replace(FINE, cpu=0.9)], False, 1),  # this was the receiver itself
    ],
)
def test_who_fails_with_cpu_to_spare_gets_a_second_chance(monkeypatch, outcomes, passed, tries):
    left, said = iter(outcomes), []
    monkeypatch.setattr(sessions, "attempt", lambda ground, contestant, number: next(left))
    assert sessions.fair_try(None, sessions.Contestant("sample", 20), 7, said.append).passed is passed
    assert len(said) == tries


def test_beside_zooms_sdk_nothing_may_be_missing_either():
    load = Load(16, 100)
    watched = {"frames": 16 * 55 * 8, "wall_s": 8.0, "ended": []}
    sdk.check(watched, load)
    for changes in ({"ended": [960]}, {"lost": 1}, {"frames": 16 * 55 * 7}):
        with pytest.raises(sdk.Lossy):
            sdk.check(watched | changes, load)


def test_a_session_costs_its_share():
    ours, theirs = [sdk.Cost(0.16, 190.0, 64.0)] * 3, [sdk.Cost(0.32, 40.0, 32.0)] * 3
    cpu, added, whole = sdk.rows(100, ours, theirs)
    assert (cpu.ours, cpu.rival, cpu.ratio, cpu.met) == (0.5, 1.0, 2.0, True)
    assert (added.ours, added.rival, added.met) == (2.0, 1.0, False)
    assert (whole.ours, whole.rival, whole.met) == (190.0, 40.0, False)
