"""Who had trouble is left alone, longer each time, and never for ever."""

from processors.transcription.rests import FIRST_S, FORGOTTEN_S, LONGEST_S, Rests


def test_rests_grow_and_stop_growing() -> None:
    rests, now_s, lengths = Rests(), 0.0, []
    for _ in range(9):
        assert rests.failed("a", now_s)
        began_s = now_s
        while rests.rests("a", now_s):
            now_s += 0.5
        lengths.append(now_s - began_s)
    assert lengths == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_nobody_else_rests() -> None:
    rests = Rests()
    rests.failed(("a", "key"), 0.0, is_final=True)
    assert rests.rests(("a", "key"), LONGEST_S - 1)
    assert not rests.rests(("b", "key"), 1.0)


def test_a_wish_is_kept_and_what_is_final_takes_the_longest() -> None:
    rests = Rests()
    rests.failed("a", 0.0, at_least_s=20)
    assert rests.rests("a", 19.9)
    assert not rests.rests("a", 20.0)
    rests.failed("b", 0.0, is_final=True)
    assert rests.rests("b", LONGEST_S - 0.1)


def test_trouble_that_others_met_meanwhile_is_no_news() -> None:
    rests = Rests()
    assert rests.failed("a", 0.0)
    assert not rests.failed("a", 0.5)
    assert not rests.rests("a", FIRST_S)


def test_who_does_well_begins_anew_and_so_does_who_was_quiet_for_long() -> None:
    rests = Rests()
    for now_s in (0.0, 10.0, 20.0):
        rests.failed("a", now_s)
    rests.went_well("a")
    rests.failed("a", 30.0)
    assert not rests.rests("a", 30.0 + FIRST_S)
    rests.failed("a", 40.0)
    later_s = 40.0 + 2 * FIRST_S + FORGOTTEN_S + 1
    rests.failed("a", later_s)
    assert not rests.rests("a", later_s + FIRST_S)
