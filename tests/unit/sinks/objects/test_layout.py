"""A recording's folder tells everything by its names."""

from dataclasses import replace

import pytest

from schemas import object_names
from schemas.records import OutputKind, Segment, TrackCount
from schemas.tracks import RECORDING
from sinks.objects import layout

END = Segment(session_id="app_1", kind=OutputKind.END, origin_ms=100, start_ms=100, duration_ms=9000, count=3)
ITSELF = TrackCount(track=RECORDING, count=3)


def keys(*starts: int, init: bytes = b"header") -> list[tuple[str, int]]:
    parts = [Segment(session_id="app_1", kind=OutputKind.ITEM, start_ms=start, init=init) for start in starts]
    return [(object_names.segment_key(part), 5) for part in parts]


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
    assert layout.incompleteness(END, ITSELF, object_names.stored_segments(keys(*starts))) == reason


def test_an_end_that_counts_below_nothing_is_no_recording() -> None:
    below = replace(ITSELF, count=-1)
    assert layout.incompleteness(END, below, []) == "segments_missing"
    assert layout.incompleteness(END, below, object_names.stored_segments(keys(100))) == "segments_inconsistent"


@pytest.mark.parametrize(
    ("starts", "reason"),
    [
        ((4000, 8000), None),
        ((100, 8000), None),
        ((8000,), "segments_missing"),
        ((), "segments_missing"),
        ((100, 4000, 8000), "segments_inconsistent"),
        ((50, 4000), "segments_inconsistent"),
        ((4000, 90_000), "segments_inconsistent"),
    ],
)
def test_a_track_lies_anywhere_in_the_recording(starts: tuple[int, ...], reason: str | None) -> None:
    track = TrackCount(track="participant-1", count=2)
    assert layout.incompleteness(END, track, object_names.stored_segments(keys(*starts))) == reason


def test_the_header_of_most_segments_is_the_files() -> None:
    stored = object_names.stored_segments([*keys(100, init=b"black"), *keys(4000, 8000), *keys(9000, init=b"black")])
    assert layout.main_header(stored) == object_names.header_name(b"black")
    assert layout.main_header(stored[1:]) == object_names.header_name(b"header")
