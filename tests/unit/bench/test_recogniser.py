"""What the recogniser's group makes of what it heard."""

import pytest

from tests.bench.recogniser import PAUSE_MS, READERS, Heard, at_once, delay_rows, one_after_the_other, per_core
from tests.support import readings
from tests.support.spoken import START_MS


def test_the_median_and_the_slowest_are_judged_each_by_its_own_goal() -> None:
    median, slowest = delay_rows("r", [Heard(delays_s=[0.8] * 9), Heard(delays_s=[0.8] * 9 + [1.7] * 2)])
    assert (median.ours, median.goal, median.met) == (0.8, 1.0, True)
    assert (slowest.ours, slowest.goal, slowest.met) == (1.7, 1.6, False)


@pytest.mark.parametrize(("speakers", "cpu_s", "ours", "is_met"), [(10, 16.0, 25.0, True), (10, 44.0, 9.1, False)])
def test_speakers_per_core_are_those_who_spoke_by_the_cores_they_took(speakers, cpu_s, ours, is_met) -> None:
    row = per_core(speakers, 40.0, Heard(delays_s=[0.9], cpu_s=cpu_s))
    assert row.ours == pytest.approx(ours, abs=0.01)
    assert (row.goal, row.met) == (speakers, is_met)
    assert "derived: 10 spoke at once, on" in row.note


def test_with_partials_it_says_how_many_there_were() -> None:
    row = per_core(3, 40.0, Heard(delays_s=[0.9], ages_s=[1.0] * 70, cpu_s=20.0))
    assert (row.ours, row.met) == (6.0, True)
    assert "with partials, 70 of them" in row.note


def test_one_reads_after_the_other_or_all_at_once() -> None:
    first, second = one_after_the_other()
    assert first.from_ms == START_MS
    assert second.from_ms == START_MS + readings.reading(READERS[1]).duration_ms + PAUSE_MS
    crowd = at_once(10)
    assert len({one.participant_id for one in crowd}) == 10
    assert max(one.from_ms for one in crowd) - START_MS < readings.reading("two_cities").duration_ms / 4
