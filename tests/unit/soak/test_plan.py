"""A plan follows from its seed, and does to everybody what it promises."""

from collections import Counter

import pytest

from tests.soak.plan import (
    CLICKHOUSE,
    FULL,
    KAFKA,
    MOVEMENTS,
    PROCESSORS,
    REGISTRY,
    SHORT,
    STORAGE,
    VICTIMS,
    Kind,
    Plan,
    draw,
    draw_seconds,
    nominal_s,
)


def done(plan: Plan) -> Counter[tuple[Kind, str]]:
    return Counter((fault.kind, fault.victim) for movement in plan for lane in movement.lanes for fault in lane)


def test_the_same_seed_draws_the_same_plan_and_another_seed_another() -> None:
    assert draw(7, FULL) == draw(7, FULL)
    assert draw(7, FULL) != draw(8, FULL)
    assert draw_seconds(7, draw(7, FULL), 10) == draw_seconds(7, draw(7, FULL), 10)


@pytest.mark.parametrize("scale", [SHORT, FULL])
def test_everything_is_done_to_everybody(scale) -> None:
    found = done(draw(3, scale))
    for victim in VICTIMS:
        assert found[Kind.KILL, victim] >= scale.kills
        assert found[Kind.RESTART, victim] == 1
        assert found[Kind.FREEZE, victim] >= 1
    for name in (KAFKA, CLICKHOUSE, REGISTRY, STORAGE):
        assert found[Kind.AWAY, name] >= 1
    assert found[Kind.FULL, STORAGE] == 1
    assert all(found[Kind.SCALE, victim] == 2 for victim in PROCESSORS)


def test_the_full_scale_is_what_is_promised() -> None:
    plan = draw(1, FULL)
    assert all(done(plan)[Kind.KILL, victim] >= 50 for victim in VICTIMS)
    [broker] = [movement for movement in plan if movement.name == "broker"]
    assert [fault.seconds for fault in broker.lanes[0]] == [20.0, 60.0]


def test_two_outages_at_once_are_of_two_different_things() -> None:
    for seed in range(50):
        [together] = draw(seed, SHORT, ("together",))
        away = [lane[0] for lane in together.lanes if lane[0].kind is Kind.AWAY]
        assert len({fault.victim for fault in away}) == 2


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_meetings_go_on_while_a_movement_does(name: str) -> None:
    plan = draw(1, SHORT, (name,))
    seconds = draw_seconds(1, plan, 4)
    assert seconds[0] == nominal_s(plan) > 1
    assert all(seconds[0] / 2 <= other <= seconds[0] for other in seconds[1:])
