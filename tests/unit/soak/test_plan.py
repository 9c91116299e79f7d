"""A plan follows from its seed, and does to everybody what it promises."""

from collections import Counter

import pytest

from deploy.local.services import COMPOSING, SERVICES
from tests.soak.faults import (
    CLICKHOUSE,
    EVERYTHING,
    KAFKA,
    OUTSIDERS,
    PROCESSORS,
    REGISTRY,
    SINKS,
    SPEECH,
    STORAGE,
    VICTIMS,
    Kind,
    Plan,
    omitted,
    planned,
)
from tests.soak.plan import FULL, MOVEMENTS, SHORT, Scale, draw, draw_seconds, nominal_s


def done(plan: Plan) -> Counter[tuple[Kind, str]]:
    found: Counter[tuple[Kind, str]] = Counter()
    for fault, count in planned(plan).items():
        found[fault.kind, fault.victim] += count
    return found


def test_the_same_seed_draws_the_same_plan_and_another_seed_another() -> None:
    assert draw(7, FULL) == draw(7, FULL)
    assert draw(7, FULL) != draw(8, FULL)
    assert draw_seconds(7, draw(7, FULL), 10) == draw_seconds(7, draw(7, FULL), 10)


@pytest.mark.parametrize("scale", [SHORT, FULL])
def test_everything_is_done_to_everybody(scale: Scale) -> None:
    found = done(draw(3, scale))
    for victim in VICTIMS:
        assert found[Kind.KILL, victim] > scale.kills, "at least once more while the registry is away"
        assert found[Kind.FREEZE, victim] >= scale.freezes
    assert found[Kind.CUT, EVERYTHING] == scale.cuts >= 1
    for victim in (*VICTIMS, *OUTSIDERS):
        assert found[Kind.RESTART, victim] == scale.restarts
    for name in (KAFKA, CLICKHOUSE, REGISTRY, STORAGE, SPEECH):
        assert found[Kind.AWAY, name] >= 1
    assert found[Kind.FULL, STORAGE] == 1
    assert all(found[Kind.STARVE, victim] == 1 for victim in SINKS)
    assert all(found[Kind.SCALE, victim] == 2 for victim in PROCESSORS)


def test_every_service_there_is_is_a_victim() -> None:
    assert {service.name for service in (*SERVICES, COMPOSING)} == {*VICTIMS, "ingest"}


def test_the_full_scale_is_what_is_promised() -> None:
    plan = draw(1, FULL)
    assert all(done(plan)[Kind.KILL, victim] >= 50 for victim in VICTIMS)
    assert all(done(plan)[Kind.FREEZE, victim] >= 3 for victim in VICTIMS)
    assert FULL.restarts >= 3
    [broker] = [movement for movement in plan if movement.name == "broker"]
    assert [fault.seconds for fault in broker.lanes[0]] == [20.0, 60.0]


@pytest.mark.parametrize("scale", [SHORT, FULL])
def test_outages_and_freezes_are_longer_than_anybody_waits(scale: Scale) -> None:
    """Transactions give up after 5 s, the groups' members after 6 and 8 s."""
    assert min(scale.broker_away_s) >= 10
    assert scale.freeze_s > 8


@pytest.mark.parametrize("scale", [SHORT, FULL])
@pytest.mark.parametrize(("name", "share"), [("registry", 1), ("broker", 0.4)])
def test_who_is_killed_in_an_outage_starts_long_before_its_end(scale: Scale, name: str, share: float) -> None:
    [movement] = draw(1, scale, (name,))
    outage, killed = movement.lanes[0][0], [fault for lane in movement.lanes[1:] for fault in lane]
    assert outage.kind is Kind.AWAY
    assert {fault.kind for fault in killed} == {Kind.KILL}
    assert len({fault.victim for fault in killed}) == len(killed) >= share * len(VICTIMS)
    assert all(outage.after_s < fault.after_s < outage.after_s + outage.seconds - 7 for fault in killed)


def test_two_outages_at_once_are_of_two_different_things() -> None:
    for seed in range(50):
        [together] = draw(seed, SHORT, ("together",))
        away = [lane[0] for lane in together.lanes if lane[0].kind is Kind.AWAY]
        assert len({fault.victim for fault in away}) == 2


def test_movements_side_by_side_have_the_lanes_of_both() -> None:
    [both] = draw(1, SHORT, ("clickhouse+disk",))
    [first], [second] = draw(1, SHORT, ("clickhouse",)), draw(1, SHORT, ("disk",))
    assert done((both,)) == done((first, second))
    assert len(both.lanes) == 2


def test_nothing_that_is_not_planned_is_missing_from_it() -> None:
    plan = draw(1, SHORT)
    assert planned(plan).total() == sum(len(lane) for movement in plan for lane in movement.lanes)


def test_what_was_planned_and_not_done_is_said() -> None:
    plan = draw(1, SHORT, ("kills",))
    everything = planned(plan)
    assert omitted(plan, everything) == []
    one = next(iter(everything))
    assert omitted(plan, everything - Counter([one])) == [f"not carried out: 1 × {one}"]


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_meetings_go_on_while_a_movement_does(name: str) -> None:
    plan = draw(1, SHORT, (name,))
    seconds = draw_seconds(1, plan, 4)
    assert seconds[0] == nominal_s(plan) > 1
    assert all(seconds[0] / 2 <= other <= seconds[0] for other in seconds[1:])


def test_a_meeting_ends_while_the_sinks_starve() -> None:
    plan = draw(1, SHORT, ("kills", "starving", "rolling"))
    *_, last = draw_seconds(1, plan, 4)
    assert nominal_s(plan[:1]) < last < nominal_s(plan[:2])
