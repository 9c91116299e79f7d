"""A recording's folder tells everything by its names."""

import pytest

from schemas import object_names, tracks
from schemas.records import OutputKind, Segment


def keys(*starts: int, init: bytes = b"header") -> list[tuple[str, int]]:
    parts = [
        Segment(session_id="app_1", kind=OutputKind.ITEM, start_ms=start, duration_ms=4000, init=init)
        for start in starts
    ]
    return [(object_names.segment_key(part), 5) for part in parts]


def test_names_are_read_back_in_order_of_time() -> None:
    stored = object_names.stored_segments([*keys(9000, 100, 4000), ("sessions/app_1/recording.mp4", 1)])
    assert [segment.start_ms for segment in stored] == [100, 4000, 9000]
    assert {segment.header for segment in stored} == {object_names.header_name(b"header")}
    assert stored[0].key == keys(100)[0][0]
    assert (stored[0].duration_ms, stored[0].end_ms) == (4000, 4100)


def test_of_two_with_one_start_the_one_written_last_counts() -> None:
    old, new = keys(100)[0], keys(100, init=b"other")[0]
    for listing in ([(old[0], 1), (new[0], 2)], [(new[0], 2), (old[0], 1)]):
        assert [segment.key for segment in object_names.stored_segments(listing)] == [new[0]]


@pytest.mark.parametrize(
    ("track", "file"),
    [(tracks.of_participant(16778240), "participant-16778240.m4a"), (tracks.SHARE, "share.mp4")],
)
def test_a_track_has_a_folder_of_its_own_beside_the_recording(track: str, file: str) -> None:
    segment = Segment(session_id="app_1", kind=OutputKind.ITEM, start_ms=100, duration_ms=4000, init=b"i", track=track)
    key, header = object_names.segment_key(segment), object_names.header_name(b"i")
    assert key == f"sessions/app_1/tracks/{track}/segments/100-4000-{header}.m4s"
    assert key.startswith(object_names.segments_prefix("app_1", track))
    assert not key.startswith(object_names.segments_prefix("app_1"))
    assert object_names.stored_segments([(key, 1)]) == [object_names.StoredSegment(100, 4000, header, key)]
    assert object_names.track_key("app_1", track) == f"sessions/app_1/tracks/{file}"


def test_a_track_says_whose_it_is() -> None:
    assert tracks.participant_of(tracks.of_participant(7)) == 7
    for other in (tracks.SHARE, tracks.RECORDING, "participant-", "participant-x", "participant-²"):
        assert tracks.participant_of(other) is None
    assert tracks.kind(tracks.of_participant(7)) is tracks.Kind.AUDIO
    assert tracks.kind(tracks.SHARE) is tracks.Kind.SHARE
