"""Several meetings at once, and one thing after the other done to the pipeline: nothing lost, doubled or changed.

The short form of `make soak`, with the same meetings, plans and comparison. A seed that fails here can be played again:
`python -m tests.soak --short --seed N --only …`.
"""

import pytest

from tests.soak.act import Act, Theatre
from tests.soak.meetings import meetings
from tests.soak.plan import SHORT, draw, draw_seconds

SEED = 1
MEETINGS = 4
LENGTH_S = 40


def act(*names: str) -> Act:
    plan = draw(SEED, SHORT, names)
    together = meetings(SEED, [LENGTH_S] * MEETINGS)
    return Act("-".join(names) or "undisturbed", together, draw_seconds(SEED, plan, MEETINGS), plan)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param((), id="nothing"),
        pytest.param(("kills",), id="three-kills-of-every-process"),
        pytest.param(("broker", "stores", "disk", "together"), id="outages"),
        pytest.param(("scaling", "rolling"), id="scaling-freezes-and-a-rolling-restart"),
    ],
)
def test_results_are_those_of_an_undisturbed_run(theatre: Theatre, names: tuple[str, ...]) -> None:
    result = theatre.play(act(*names))
    assert result.differences == []
    assert result.sessions == MEETINGS
    assert result.windows > 40 * MEETINGS


def test_the_disk_faults_were_among_them(theatre: Theatre) -> None:
    if not theatre.can_fail_storage:
        pytest.skip("mounting a small file system takes root: no full disk and no read-only one in the outages above")
