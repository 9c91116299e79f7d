import os

from deploy.local.memory import parent_in, proportional_bytes, pss_bytes, with_descendants


def test_descendants_of_descendants_count_and_nobody_twice():
    parents = {2: 1, 3: 2, 4: 3, 5: 1, 6: 99}
    assert with_descendants([2], parents) == {2, 3, 4}
    assert with_descendants([1, 3], parents) == {1, 2, 3, 4, 5}


def test_only_the_line_of_all_pages_counts():
    assert pss_bytes("55 [rollup]\nRss:  400 kB\nPss:  3 kB\nPss_Anon:  2 kB\nPss_Dirty: 1 kB\n") == 3 * 1024


def test_a_program_s_name_may_hold_anything():
    assert parent_in("12 (a (b) 7 c) S 34 12 12 0 -1") == 34


def test_this_process_takes_something_and_one_that_is_gone_nothing():
    assert proportional_bytes([os.getpid()]) > 1_000_000
    assert proportional_bytes([2**30]) == 0
