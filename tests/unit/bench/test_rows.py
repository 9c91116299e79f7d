from io import StringIO

import pytest
from rich.console import Console

from tests.bench.rows import Row
from tests.bench.table import show


@pytest.mark.parametrize(
    ("ours", "rival", "more_is_better", "ratio", "met"),
    [(10, 25, False, 2.5, True), (10, 24, False, 2.4, False), (50, 20, True, 2.5, True), (20, 50, True, 0.4, False)],
)
def test_the_ratio_says_how_many_times_better_we_are(ours, rival, more_is_better, ratio, met):
    row = Row(name="n", unit="µs", ours=ours, rival=rival, rival_name="r", goal=2.5, more_is_better=more_is_better)
    assert (row.ratio, row.met) == (ratio, met)


def test_without_a_rival_the_goal_is_about_our_figure():
    assert Row(name="n", unit="s", ours=19.9, goal=20).met is True
    assert Row(name="n", unit="s", ours=20.1, goal=20).met is False
    assert Row(name="n", unit="/s", ours=20.1, goal=20, more_is_better=True).met is True


def test_what_was_not_measured_is_neither_met_nor_missed():
    assert Row(name="n", unit="s", ours=None, goal=20).met is None
    assert Row(name="n", unit="s", ours=1.0, rival=None, rival_name="r", goal=2).met is None
    assert Row(name="n", unit="s", ours=1.0).met is None
    assert Row(name="n", unit="s", ours=None, rival=3.0, rival_name="r", goal=2).ratio is None


def test_a_stricter_goal_leaves_the_first_one_told():
    row = Row(name="n", unit="s", ours=2.0, rival=54.0, rival_name="r", goal=30, first_goal=25)
    assert (row.met, row.first_met) == (False, True)
    console = Console(width=130, record=True, file=StringIO())
    show([row, Row(name="m", unit="s", ours=1.0, goal=2.0)], console)
    text = console.export_text()
    assert "the first goal was ≥ 25×: met" in text
    assert text.count("first goal") == 1
    assert "missed" in text


def test_finding_no_session_that_passes_is_a_miss():
    row = Row(name="n", unit="sessions", ours=0, rival=12, rival_name="r", goal=1.7, more_is_better=True)
    assert (row.ratio, row.met) == (0, False)


def test_the_file_has_every_field():
    document = Row(name="n", unit="s", ours=1.0, rival=2.0, rival_name="r", goal=1.5).document()
    assert {"name", "ours", "rival", "ratio", "goal", "unit", "met"} <= document.keys()
    assert (document["ratio"], document["met"]) == (2.0, True)
