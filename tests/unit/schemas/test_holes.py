"""Holes are kept without overlaps, whatever is stated twice, and add up to what a medium lacks."""

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from schemas.holes import Completeness, completeness, with_hole
from schemas.records import Hole

VIDEO = Hole(medium="video", from_ms=10, to_ms=20, cause="memory_budget")

stretches = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 10)), max_size=8)


def kept(*holes: Hole) -> tuple[Hole, ...]:
    found: tuple[Hole, ...] = ()
    for hole in holes:
        found = with_hole(found, hole)
    return found


def test_what_touches_becomes_one_whatever_comes_first() -> None:
    parts = VIDEO, replace(VIDEO, from_ms=20, to_ms=25), replace(VIDEO, from_ms=5, to_ms=12)
    for order in permutations(parts):
        assert kept(*order) == (replace(VIDEO, from_ms=5, to_ms=25),)


def test_others_stay_apart() -> None:
    others = (
        replace(VIDEO, medium="share"),
        replace(VIDEO, participant_id=7),
        replace(VIDEO, cause="not_delivered"),
        replace(VIDEO, from_ms=21, to_ms=22),
    )
    assert kept(VIDEO, *others) == (VIDEO, *others)


@given(stretches)
def test_a_repetition_changes_nothing_and_the_sum_is_what_is_covered(parts: list[tuple[int, int]]) -> None:
    holes = [replace(VIDEO, from_ms=from_ms, to_ms=from_ms + length) for from_ms, length in parts]
    found = kept(*holes)
    assert kept(*found, *holes) == found
    covered = {ms for hole in holes for ms in range(hole.from_ms, hole.to_ms)}
    assert completeness(found)["video"].missing_ms == len(covered)
    assert completeness(holes)["video"].missing_ms == len(covered)


def test_overlaps_of_two_causes_count_once_and_a_hole_without_length_is_one() -> None:
    lost = replace(VIDEO, medium="audio", from_ms=7, to_ms=7)
    found = completeness((VIDEO, replace(VIDEO, cause="not_delivered", from_ms=15, to_ms=30), lost))
    assert found["video"] == Completeness(20, 2)
    assert (found["audio"].missing_ms, found["audio"].is_complete) == (0, False)
    assert [medium for medium, one in found.items() if one.is_complete] == ["share", "captions", "chat", "events"]
