"""Where stretches end: at key frames near the grid, at the grid, or where the media ends."""

import pytest

from processors.muxing.slots import Boundary, Slot, audio_from, origin_before
from schemas.records import MediaRecord
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records

T = START_MS
GRID_MS = 4000


def boundary(shots: list[Shot], talks: list[Talk], start_ms: int = T) -> Boundary:
    records: list[MediaRecord] = [*video_records("s", shots), *audio_records("s", talks)]
    slot = Slot(start_ms // GRID_MS, start_ms, GRID_MS, 16_000)
    return slot.boundary(r for r in sorted(records, key=lambda r: r.timestamp_ms) if r.timestamp_ms < slot.seen_ms)


def test_the_first_key_frame_of_the_next_slot_ends_a_stretch() -> None:
    assert boundary([Shot(T + 200, T + 9000, key_every=25)], []) == Boundary(T + 4200, is_pause=False)


def test_without_a_key_frame_in_time_the_grid_does() -> None:
    assert boundary([Shot(T + 2080, T + 9000, key_every=100)], []) == Boundary(T + 4000, is_pause=False)


def test_sound_alone_is_cut_on_the_grid() -> None:
    assert boundary([], [Talk(T, T + 9000)]) == Boundary(T + 4000, is_pause=False)


def test_an_empty_slot_ends_on_the_grid() -> None:
    assert boundary([], [], T + 300) == Boundary(T + 4000, is_pause=False)


@pytest.mark.parametrize(("last_ms", "end_ms"), [(1500, 1500), (3990, 3990), (4000, 4000)])
def test_where_everything_stops_the_stretch_stops(last_ms: int, end_ms: int) -> None:
    assert boundary([], [Talk(T, T + last_ms)]) == Boundary(T + end_ms, is_pause=True)


def test_the_last_picture_is_held_but_not_into_the_next_slot() -> None:
    assert boundary([Shot(T, T + 1000)], []) == Boundary(T + 1000, is_pause=True)
    assert boundary([Shot(T + 3010, T + 4010)], []) == Boundary(T + 4000, is_pause=True)


def test_a_stretch_that_begins_late_in_its_slot_lasts_half_a_slot_at_least() -> None:
    late, talk = T + 3000, Talk(T + 3000, T + 20_000)
    assert boundary([], [talk], late) == Boundary(T + 6000, is_pause=False)
    assert boundary([Shot(late, T + 20_000, key_every=60)], [talk], late) == Boundary(T + 5400, is_pause=False)
    assert boundary([Shot(late, T + 20_000, key_every=45)], [talk], late) == Boundary(T + 6000, is_pause=False)
    assert boundary([], [Talk(late, T + 5500)], late) == Boundary(T + 5500, is_pause=True)


def test_what_follows_soon_is_no_pause() -> None:
    assert boundary([], [Talk(T, T + 1500), Talk(T + 6000, T + 7000)]) == Boundary(T + 4000, is_pause=False)
    assert boundary([], [Talk(T, T + 1500), Talk(T + 6300, T + 7000)]) == Boundary(T + 1500, is_pause=True)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_a_recording_begins_one_whole_audio_frame_before_its_media(rate: int) -> None:
    origin_ms = origin_before(T + 17, rate)
    frame_ms = 1024 * 1000 / rate
    assert frame_ms - 1 <= T + 17 - origin_ms <= 2 * frame_ms + 1


def test_the_lead_in_is_looked_back_for() -> None:
    assert T - audio_from(T, 16_000) == 8 * 64 + 2000 + 15
