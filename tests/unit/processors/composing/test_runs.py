"""Which segments are drawn anew."""

from hypothesis import given
from hypothesis import strategies as st

from processors.composing.runs import Run, runs, within
from schemas.object_names import StoredSegment

GRID_MS = 4000


def pieces(*numbers: int) -> list[StoredSegment]:
    return [StoredSegment(number * GRID_MS, GRID_MS, "h", f"{number}") for number in numbers]


def found(count: int, shared: list[int], independent: set[int]) -> list[Run]:
    return list(runs(pieces(*range(count)), pieces(*shared), independent.__contains__))


def test_only_what_shows_a_screen_is_drawn() -> None:
    assert found(6, [2, 3], {0, 1, 2, 3, 4, 5}) == [Run(2, 2, 3)]
    assert found(6, [], {0}) == []
    assert found(6, [1, 4], {0, 1, 2, 3, 4, 5}) == [Run(1, 1, 1), Run(4, 4, 4)]


def test_what_builds_on_a_drawn_segment_is_drawn_too() -> None:
    assert found(6, [1], {0, 1, 4}) == [Run(1, 1, 3)]
    assert found(6, [1, 3], {0, 1}) == [Run(1, 1, 5)]


def test_the_first_picture_is_decoded_from_a_key_frame_on() -> None:
    assert found(6, [3], {0, 1, 4, 5}) == [Run(1, 3, 3)]
    assert found(3, [2], set()) == [Run(0, 2, 2)]


@given(st.integers(1, 20), st.data())
def test_every_shared_segment_is_drawn_and_everything_copied_can_be_played(count: int, data: st.DataObject) -> None:
    numbers = st.sets(st.integers(0, count - 1))
    shared, independent = data.draw(numbers), {0} | data.draw(numbers)
    made = found(count, sorted(shared), independent)
    drawn = {number for run in made for number in range(run.first, run.last + 1)}
    assert sum(run.last - run.first + 1 for run in made) == len(drawn)
    assert shared <= drawn
    for number in range(count):
        if number not in drawn and number - 1 in drawn:
            assert number in independent
    assert all(run.lead in independent and run.lead <= run.first and run.first in shared for run in made)


@given(st.sets(st.integers(0, 9)), st.integers(0, 45_000), st.integers(1, 20_000))
def test_what_has_time_in_common_is_found(numbers: set[int], start_ms: int, length_ms: int) -> None:
    film, end_ms = pieces(*sorted(numbers)), start_ms + length_ms
    expected = [piece for piece in film if piece.start_ms < end_ms and start_ms < piece.end_ms]
    assert list(within(film, start_ms, end_ms)) == expected
