"""A recording's folder tells everything by its names."""

from dataclasses import replace

import pytest

from schemas.records import OutputKind, Segment
from sinks.objects import layout

END = Segment(session_id="app_1", kind=OutputKind.END, origin_ms=100, start_ms=100, duration_ms=9000, count=3)


def keys(*starts: int, init: bytes = b"header") -> list[tuple[str, int]]:
    parts = [Segment(session_id="app_1", kind=OutputKind.ITEM, start_ms=start, init=init) for start in starts]
    return [(layout.segment_key(part), 5) for part in parts]


def test_names_are_read_back_in_order_of_time() -> None:
    stored = layout.stored_segments([*keys(9000, 100, 4000), ("sessions/app_1/recording.mp4", 1)])
    assert [segment.start_ms for segment in stored] == [100, 4000, 9000]
    assert {segment.header for segment in stored} == {layout.header_name(b"header")}
    assert stored[0].key == keys(100)[0][0]


def test_of_two_with_one_start_the_one_written_last_counts() -> None:
    old, new = keys(100)[0], keys(100, init=b"other")[0]
    for listing in ([(old[0], 1), (new[0], 2)], [(new[0], 2), (old[0], 1)]):
        assert [segment.key for segment in layout.stored_segments(listing)] == [new[0]]


@pytest.mark.parametrize(
    ("starts", "reason"),
    [
        ((100, 4000, 8000), None),
        ((100, 4000), "segments_missing"),
        ((4000, 8000, 8500), "segments_missing"),
        ((), "segments_missing"),
        ((100, 4000, 8000, 8500), "segments_inconsistent"),
        ((100, 4000, 9100), "segments_inconsistent"),
    ],
)
def test_complete_means_all_that_the_end_speaks_of(starts: tuple[int, ...], reason: str | None) -> None:
    assert layout.incompleteness(END, layout.stored_segments(keys(*starts))) == reason


def test_an_end_that_counts_below_nothing_is_no_recording() -> None:
    assert layout.incompleteness(replace(END, count=-1), []) == "segments_missing"
    assert layout.incompleteness(replace(END, count=-1), layout.stored_segments(keys(100))) == "segments_inconsistent"


def test_the_header_of_most_segments_is_the_files() -> None:
    stored = layout.stored_segments([*keys(100, init=b"black"), *keys(4000, 8000), *keys(9000, init=b"black")])
    assert layout.main_header(stored) == layout.header_name(b"black")
    assert layout.main_header(stored[1:]) == layout.header_name(b"header")
