"""Several meetings at once, and one thing after the other done to the pipeline: nothing lost, doubled or changed.

The short form of `make soak`, with the same meetings, plans and comparison. A test that fails says which command plays
it again: the same meetings, the same faults at the same moments.
"""

import shlex

import pytest

from tests.soak.act import Theatre
from tests.soak.faults import planned
from tests.soak.onlooker import QUESTIONS
from tests.soak.options import Options, parsed
from tests.soak.plan import BESIDE, MOVEMENTS, SHORT

pytestmark = pytest.mark.timeout(1800)
SEED = 1
LENGTHS_S = (40, 40, 40, 40)

ACTS = {
    "three-kills-of-every-process": ("kills", "power"),
    "outages": ("broker", "clickhouse+disk+speech", "registry", "together"),
    "scaling-freezes-and-a-rolling-restart": ("scaling+starving", "freezes", "rolling"),
}


def options(*movements: str) -> Options:
    return Options(SEED, LENGTHS_S, SHORT, movements)


def test_every_movement_there_is_is_in_an_act() -> None:
    assert {name for movements in ACTS.values() for both in movements for name in both.split(BESIDE)} == set(MOVEMENTS)


@pytest.mark.parametrize("movements", ACTS.values(), ids=ACTS.keys())
def test_the_command_that_a_failure_prints_plays_the_same(movements: tuple[str, ...]) -> None:
    made = options(*movements)
    [arguments] = shlex.split(made.command.removeprefix("make soak ARGS="))
    replayed = parsed(shlex.split(arguments))
    assert replayed == made
    assert replayed.disturbed() == made.disturbed()


def test_what_is_compared_with_is_what_a_calm_pipeline_does(theatre: Theatre) -> None:
    result = theatre.play(options().undisturbed())
    assert not result.differences, "\n".join(result.differences)
    assert result.again == 0 or result.stood_still, "nothing is written twice without a reason"


@pytest.mark.parametrize("movements", ACTS.values(), ids=ACTS.keys())
def test_results_are_those_of_an_undisturbed_run(theatre: Theatre, movements: tuple[str, ...]) -> None:
    act = options(*movements).disturbed()
    result = theatre.play(act)
    assert not result.differences, "\n".join([*result.differences, f"again: {options(*movements).command}"])
    assert result.done + result.skipped == planned(act.plan)
    assert result.sessions == len(LENGTHS_S)
    assert result.windows > 40 * len(LENGTHS_S)
    assert set(result.answered) == {question.name for question in QUESTIONS}
    if result.skipped:
        skipped = ", ".join(map(str, result.skipped))
        pytest.skip(f"everything else held, but mounting a small file system takes root: no {skipped}")
