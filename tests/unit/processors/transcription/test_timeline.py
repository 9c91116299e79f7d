"""Chunks on one line of time: jitter, holes, overlaps, and silence that is known before the next chunk comes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processors.transcription.timeline import TOLERANCE_MS, Timeline, level


def chunk(ms: int, value: int, rate_hz: int = 16_000) -> np.ndarray:
    return np.full(ms * rate_hz // 1000, value, dtype=np.int16)


def values(timeline: Timeline) -> list[int]:
    return [int(np.frombuffer(frame, dtype="<i2")[0]) for _, frame in timeline.frames(20)]


def test_jitter_leaves_no_seam() -> None:
    line = Timeline(1000, 16_000)
    for at_ms, value in ((1000, 1), (1133, 2), (1180, 3)):
        line.place(at_ms, chunk(100, value))
    assert line.audio_end_ms == 1300
    assert values(line) == [1] * 5 + [2] * 5 + [3] * 5


def test_a_hole_is_silence_and_time_goes_on_behind_it() -> None:
    line = Timeline(1000, 16_000)
    line.place(1000, chunk(100, 1))
    line.place(1200, chunk(100, 2))
    assert values(line) == [1] * 5 + [0] * 5 + [2] * 5


def test_what_overlaps_counts_once() -> None:
    line = Timeline(1000, 16_000)
    line.place(1000, chunk(200, 1))
    line.place(1100, chunk(200, 2))
    line.place(1150, chunk(100, 3))
    assert line.audio_end_ms == 1300
    assert values(line) == [1] * 10 + [2] * 5


def test_finds_the_chunk_to_hear_a_moment_again() -> None:
    line = Timeline(1000, 16_000)
    for at_ms in (1000, 1110, 1200):
        line.place(at_ms, chunk(100, 1))
    assert [line.chunk_at(ms) for ms in (900, 1000, 1099, 1100, 1199, 1299, 1300, 5000)] == [
        1000, 1000, 1000, 1110, 1110, 1200, 1300, 5000,
    ]  # fmt: skip


def test_cuts_out_by_time() -> None:
    line = Timeline(1000, 8_000)
    line.place(1000, chunk(20, 1, 8_000))
    line.silent_to(1040)
    assert np.frombuffer(line.cut_out(1019, 1021), dtype="<i2").tolist() == [1] * 8 + [0] * 8
    assert line.cut_out(0, 1000) == b""


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([20, 40, 100])), min_size=1, max_size=12))
def test_silence_told_early_changes_nothing(steps: list[tuple[int, int]]) -> None:
    """Whoever is told of each pause as soon as it is certain hears the same as one who gets all chunks at once."""
    told, plain = Timeline(0, 16_000), Timeline(0, 16_000)
    at_ms, told_frames = 0, []
    for value, (gap_ms, length_ms) in enumerate(steps, 1):
        at_ms += gap_ms
        for until_ms in range(0, at_ms - TOLERANCE_MS + 1, 7):
            told.silent_to(until_ms)
        told_frames += list(told.frames(20))
        told.place(at_ms, chunk(length_ms, value))
        plain.place(at_ms, chunk(length_ms, value))
        at_ms += length_ms
    told_frames += list(told.frames(20))
    assert told_frames == list(plain.frames(20))


def test_level_is_the_root_mean_square() -> None:
    assert level(np.array([300, -300], dtype="<i2").tobytes()) == 300
    assert level(b"") == 0
