"""Real meetings, drawn anew: what a player sees of them, when, and that the rest is the recording's own."""

import numpy as np
import pytest

from processors.composing.pieces import Unreadable, piece
from processors.muxing.h264 import Size
from schemas.records import OutputKind
from schemas.settings import RecordingView
from schemas.topics import MAX_RECORD_BYTES
from tests.support.composed import CANVAS, Meeting, meeting
from tests.support.media import START_MS, Shot, Talk
from tests.support.muxed import Decoded, decoded, items_of, joined

T = START_MS
FLASHES = (T + 3000, T + 9520, T + 12_040, T + 18_000)
SIDE_BY_SIDE, INSET = RecordingView.SIDE_BY_SIDE, RecordingView.SHARED_SCREEN_WITH_SPEAKER
TALKS = [Talk(T, T + 24_000, beeps_ms=FLASHES)]
FACE = Shot(T, T + 24_000, 1, fps=25, grey=60, flashes_ms=FLASHES, key_every=125)
SCREEN = Shot(T + 9000, T + 13_000, 2, width=640, height=360, fps=5, grey=190, key_every=10)
SPEAKER_LUMA, SCREEN_LUMA, BLACK, WHITE = (45, 60), (190, 215), (0, 3), (250, 255)

IN_SCREEN, IN_BAR, ABOVE_BAR = (90, 100), (49, 290), (5, 290)
IN_CORNER, BESIDE_CORNER = (35, 285), (150, 285)


@pytest.fixture(scope="module")
def beside() -> Meeting:
    return meeting(SIDE_BY_SIDE, TALKS, [FACE], [SCREEN])


@pytest.fixture(scope="module")
def seen(beside: Meeting) -> Decoded:
    return decoded(beside.whole(beside.drawn()))


def luma(film: Decoded, origin_ms: int, at_ms: int, place: tuple[int, int]) -> int:
    """Of a few points around a place of the picture that is shown at a time."""
    shown = [index for index, at in enumerate(film.times) if round(at * 1000) <= at_ms - origin_ms]
    row, column = place
    return int(np.median(film.lumas[shown[-1]][row - 2 : row + 3, column - 2 : column + 3]))


def test_row_12_the_view_that_is_asked_for_is_what_is_seen(beside: Meeting, seen: Decoded) -> None:
    """While a screen is shared it stands at the left and the speaker at the right of it; else the speaker fills it."""
    origin_ms = beside.end.origin_ms
    for at_ms in (T + 9050, T + 11_000, T + 12_900):
        assert SCREEN_LUMA[0] <= luma(seen, origin_ms, at_ms, IN_SCREEN) <= SCREEN_LUMA[1]
        assert SPEAKER_LUMA[0] <= luma(seen, origin_ms, at_ms, IN_BAR) <= SPEAKER_LUMA[1]
        assert luma(seen, origin_ms, at_ms, ABOVE_BAR) <= BLACK[1]
    for at_ms in (T + 5000, T + 8950, T + 20_000):
        for place in (IN_SCREEN, IN_BAR):
            assert SPEAKER_LUMA[0] <= luma(seen, origin_ms, at_ms, place) <= SPEAKER_LUMA[1]


def test_row_12_the_speaker_stands_in_the_corner_of_the_screen() -> None:
    made = meeting(INSET, TALKS, [FACE], [SCREEN])
    film, origin_ms = decoded(made.whole(made.drawn())), made.end.origin_ms
    assert film.errors == []
    at_ms = T + 11_000
    assert SPEAKER_LUMA[0] <= luma(film, origin_ms, at_ms, IN_CORNER) <= SPEAKER_LUMA[1]
    for place in (BESIDE_CORNER, IN_SCREEN):
        assert SCREEN_LUMA[0] <= luma(film, origin_ms, at_ms, place) <= SCREEN_LUMA[1]


def test_it_is_in_step_whoever_is_drawn(beside: Meeting, seen: Decoded) -> None:
    """The simulator's way to see it: what flashes also beeps."""
    origin_ms = beside.end.origin_ms
    bright = [
        round(at * 1000) + origin_ms
        for at, before, picture in zip(seen.times[1:], seen.lumas, seen.lumas[1:], strict=False)
        if np.median(picture[47:52, 285:295]) >= WHITE[0] > np.median(before[47:52, 285:295])
    ]
    assert bright == list(FLASHES)
    assert [round(at * 1000) + origin_ms for at in seen.beeps()] == pytest.approx(list(FLASHES), abs=5)


def test_its_sound_and_its_length_are_the_recordings(beside: Meeting, seen: Decoded) -> None:
    recording = decoded(joined(beside.parts))
    assert np.array_equal(seen.audio, recording.audio)
    assert seen.audio_start == recording.audio_start
    assert (seen.times[0], seen.times[-1]) == (recording.times[0], recording.times[-1])
    assert seen.errors == []
    assert seen.decode_times == sorted(set(seen.decode_times))


def test_a_picture_is_drawn_for_every_one_that_was_sent(beside: Meeting, seen: Decoded) -> None:
    sent = {*FACE.times(), *SCREEN.times()}
    shown = {round(at * 1000) + beside.end.origin_ms for at in seen.times}
    assert sent - shown - {T} == set()


def test_only_the_segments_that_need_it_are_drawn(beside: Meeting) -> None:
    """Those with a screen, and those up to the next one that begins with a key frame."""
    drawn = beside.drawn()
    bounds = {(part.start_ms, part.duration_ms) for part in items_of(beside.parts)}
    assert {(part.start_ms, part.duration_ms) for part in drawn} <= bounds
    assert [part.start_ms - T for part in drawn] == [8000, 12_000, 16_000]
    assert all(part.independent and part.kind is OutputKind.TRACK and part.track == "composed" for part in drawn)


def test_drawing_again_makes_the_same_whatever_is_there_already(beside: Meeting) -> None:
    """A successor skips what is stored and makes the same of the rest."""
    drawn = beside.drawn()
    for stored in ({}, {drawn[0].start_ms}, {drawn[1].start_ms}, {part.start_ms for part in drawn}):
        again = beside.composition()
        made = list(again.segments(lambda segment, stored=stored: segment.start_ms in stored))  # type: ignore[misc]
        assert made == [None if part.start_ms in stored else part for part in drawn]
        end = again.end()
        assert (end.kind, end.count, end.tracks[0].count) == (OutputKind.TRACK_END, beside.end.count, len(drawn))
        assert (end.start_ms, end.duration_ms) == (beside.end.start_ms, beside.end.duration_ms)


def test_a_camera_that_is_off_leaves_the_screen_alone() -> None:
    made = meeting(SIDE_BY_SIDE, TALKS, [Shot(T, T + 10_000, fps=10, grey=60)], [SCREEN])
    film, origin_ms = decoded(made.whole(made.drawn())), made.end.origin_ms
    assert SPEAKER_LUMA[0] <= luma(film, origin_ms, T + 9500, IN_BAR) <= SPEAKER_LUMA[1]
    assert SCREEN_LUMA[0] <= luma(film, origin_ms, T + 12_000, IN_BAR) <= SCREEN_LUMA[1]
    assert luma(film, origin_ms, T + 20_000, IN_SCREEN) <= BLACK[1]


def test_pictures_that_would_fill_the_memory_are_not_shown() -> None:
    screen = Shot(T + 1000, T + 3000, 2, width=4608, height=2592, fps=1, grey=190)
    made = meeting(SIDE_BY_SIDE, [], [Shot(T, T + 3000, fps=5, grey=60)], [screen])
    film = decoded(made.whole(made.drawn()))
    assert SPEAKER_LUMA[0] <= luma(film, made.end.origin_ms, T + 2500, IN_SCREEN) <= SPEAKER_LUMA[1]


def test_pictures_that_are_sent_in_another_order_are_shown_in_theirs() -> None:
    face = Shot(T, T + 16_000, fps=25, grey=60, b_pictures=2, flashes_ms=(T + 6000, T + 10_000))
    made = meeting(SIDE_BY_SIDE, TALKS, [face], [Shot(T + 5000, T + 11_000, 2, fps=5, grey=190)])
    film, origin_ms = decoded(made.whole(made.drawn())), made.end.origin_ms
    assert film.errors == []
    for flash_ms in (T + 6000, T + 10_000):
        assert luma(film, origin_ms, flash_ms + 40, IN_BAR) >= WHITE[0]
        assert SPEAKER_LUMA[0] <= luma(film, origin_ms, flash_ms - 40, IN_BAR) <= SPEAKER_LUMA[1]


def test_no_segment_outgrows_a_record() -> None:
    """Noise is the worst there is; the bound is that of the encoder."""
    made = meeting(INSET, [], [Shot(T, T + 9000, fps=25)], [Shot(T, T + 9000, 2, fps=25)], Size(640, 360))
    assert all(len(part.payload) < MAX_RECORD_BYTES // 4 for part in made.drawn())


def test_a_segment_that_nobody_can_read_is_said_to_be() -> None:
    made = meeting(SIDE_BY_SIDE, [], [Shot(T, T + 5000, fps=5)], [Shot(T, T + 5000, 2, fps=5)], CANVAS)
    segment = made.listed("")[0]
    with pytest.raises(Unreadable):
        piece(segment, b"rubbish", b"more of it", T)
