"""Zoom's time from stamps: a lower bound, never poisoned for long."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol.zoomtime import ZoomTime

ZOOM = 1_700_000_000_000


def test_nothing_is_known_before_the_first_stamp() -> None:
    time = ZoomTime()
    assert time.now(5) is None
    assert time.is_plausible(ZOOM, 5)


def test_what_no_clock_shows_is_never_plausible() -> None:
    time = ZoomTime()
    assert [time.is_plausible(stamp, 5) for stamp in (0, -1, 1, 2**62, 10**14)] == [False] * 5


def test_the_fastest_delivery_counts() -> None:
    time = ZoomTime()
    time.seen(ZOOM, 1_000)
    time.seen(ZOOM + 100, 1_050)  # came 50 ms faster
    time.seen(ZOOM + 110, 1_200)  # came slowly
    assert time.now(1_200) == ZOOM + 250


def test_old_audio_does_not_set_the_clock_back() -> None:
    time = ZoomTime()
    time.told(ZOOM, 1_000)
    time.seen(ZOOM - 60_000, 1_001)
    assert time.now(1_001) == ZOOM + 1
    assert time.is_plausible(ZOOM - 60_000, 1_001)


def test_a_keep_alive_corrects_an_estimate_that_was_wrong() -> None:
    time = ZoomTime()
    time.seen(ZOOM + 3_600_000, 0)
    time.told(ZOOM, 10)
    assert time.now(10) == ZOOM


def test_a_late_keep_alive_does_not() -> None:
    time = ZoomTime()
    time.told(ZOOM, 0)
    time.told(ZOOM + 5_000, 15_000)
    assert time.now(15_000) == ZOOM + 15_000


def test_stamps_from_nowhere_are_implausible() -> None:
    time = ZoomTime()
    time.seen(ZOOM, 0)
    assert time.is_plausible(ZOOM + 61_000, 0), "the first stamps may be of buffered audio"
    assert not time.is_plausible(ZOOM + 301_000, 0)
    time.told(ZOOM, 0)
    assert time.is_plausible(ZOOM + 9_000, 0)
    assert not time.is_plausible(ZOOM + 11_000, 0)
    assert time.is_plausible(ZOOM - 899_000, 0)
    assert not time.is_plausible(ZOOM - 901_000, 0)


def test_evidence_is_forgotten_so_that_drifting_clocks_do_not_part() -> None:
    time = ZoomTime()
    for second in range(0, 36_000):  # ten hours; our clock runs 100 ppm fast
        now = second * 1_000 + second // 10
        time.told(ZOOM + second * 1_000, now)
    estimate = time.now(now)
    assert estimate is not None
    assert 0 <= estimate - (ZOOM + second * 1_000) <= 13


def test_a_long_silence_is_no_reason_to_forget() -> None:
    time = ZoomTime()
    time.told(ZOOM, 0)
    time.told(ZOOM + 600_000, 600_000)
    assert time.now(700_000) == ZOOM + 700_000


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 5_000)), min_size=1, max_size=60))
def test_the_estimate_never_runs_ahead_of_zoom(steps: list[tuple[int, int]]) -> None:
    """Whatever the delays are, as long as the clocks run alike."""
    time, now = ZoomTime(), 0
    for pause, delay in steps:
        now += pause
        time.seen(ZOOM + now, now + delay)
        estimate = time.now(now + delay)
        assert estimate is not None
        assert estimate <= ZOOM + now + delay
        now += delay
