from hypothesis import given
from hypothesis import strategies as st

from ingest.losses import MAX_HOLES, TOGETHER_MS, Losses
from schemas.records import Hole


def lost(from_ms, to_ms=None, *, medium="video", participant_id=7, cause="memory_budget"):
    to_ms = from_ms + 40 if to_ms is None else to_ms
    return Hole(medium=medium, participant_id=participant_id, from_ms=from_ms, to_ms=to_ms, cause=cause)


def test_neighbours_are_one_hole_and_others_are_not():
    losses = Losses()
    for from_ms in (0, 40, 80, 120 + TOGETHER_MS + 1, 10_000, 9_960):
        losses.add(lost(from_ms))
    losses.add(lost(40, medium="share"))
    losses.add(lost(40, participant_id=8))
    losses.add(lost(40, cause="too_large"))
    assert list(losses.take()) == [
        lost(0, 120), lost(371, 411), lost(9_960, 10_040), lost(40, medium="share"), lost(40, participant_id=8),
        lost(40, cause="too_large"),
    ]  # fmt: skip
    assert list(losses.take()) == []


def test_of_so_many_that_nobody_could_state_them_there_is_one_for_the_rest():
    """A crowd of hundreds of thousands, each heard once, while there is no room for anybody."""
    losses, cameras = Losses(), lost(5, 45)
    losses.add(cameras)
    for number in range(100_000):
        losses.add(lost(number * 1_000, medium="audio", participant_id=number + 1))
    losses.add(lost(0, 40, medium="audio", participant_id=1))
    holes = list(losses.take())
    assert len(holes) == MAX_HOLES + 1
    assert holes[0] == cameras
    assert holes[-1] == lost((MAX_HOLES - 1) * 1_000, 99_999_040, medium="audio", participant_id=0)
    losses.add(lost(7, medium="audio"))
    assert list(losses.take()) == [lost(7, medium="audio")]


@given(st.lists(st.integers(0, 20_000), max_size=50))
def test_all_that_was_lost_is_covered(times):
    losses = Losses()
    for at_ms in times:
        losses.add(lost(at_ms))
    holes = list(losses.take())
    assert all(any(hole.from_ms <= at_ms and at_ms + 40 <= hole.to_ms for hole in holes) for at_ms in times)
    assert len(holes) <= len(times)
