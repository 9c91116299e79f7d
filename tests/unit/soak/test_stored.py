"""What is stored in the end follows from the records alone, and is told apart as clients see it."""

from pathlib import Path

from schemas import object_names
from schemas.settings import RecordingView
from tests.soak.stored import Stored, stored
from tests.support.composed import meeting
from tests.support.media import START_MS, Shot, Talk
from tests.support.muxed import SESSION, items_of

TALKS = [Talk(START_MS, START_MS + 9_000)]
CAMERAS, SCREENS = [Shot(START_MS, START_MS + 9_000, fps=5)], [Shot(START_MS + 5_000, START_MS + 8_000, 2, fps=5)]


def test_a_composed_recording_is_handed_out_and_the_one_that_it_was_drawn_of_stands_beside_the_tracks(
    tmp_path: Path,
) -> None:
    recorded = meeting(RecordingView.SIDE_BY_SIDE, TALKS, CAMERAS, SCREENS)
    before, after = (
        stored(SESSION, segments, tmp_path) for segments in (recorded.parts, [*recorded.parts, *recorded.closed()])
    )
    assert before.recording == object_names.movie_key(SESSION)
    assert after.recording == object_names.track_key(SESSION, "composed")
    assert before.tracks().keys() == {"share"}
    assert after.tracks() == {**before.tracks(), "recording": before.movie}
    assert before.movie != after.movie
    pieces = [object_names.segment_key(part) for part in items_of(recorded.parts)]
    assert pieces
    assert all(after.objects[key] for key in pieces)
    assert list(tmp_path.iterdir()) == []


def test_without_a_recording_there_is_none() -> None:
    assert (Stored().movie, Stored().tracks()) == (b"", {})
