"""A recording's tracks from their records, in a real folder: each a file, or a reason why not."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.objects.errors import BadKey
from schemas import object_names
from schemas import tracks as names
from schemas.keys import objects_folder
from schemas.records import FactKind, MediaRecord, Segment, TrackCount
from schemas.settings import SessionSettings
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.memory_deletions import deleted
from tests.support.muxed import SESSION, decoded, items_of, muxed
from tests.unit.sinks.objects.test_storing import Sink, receipt

T = START_MS
TRACKS = [names.of_participant(1), names.of_participant(2), names.SHARE]


@pytest.fixture(scope="module")
def recording() -> list[Segment]:
    settings = SessionSettings(participant_audio=True, share_track=True)
    talks = [Talk(T, T + 9000), Talk(T + 5000, T + 6000, 2)]
    topics: list[list[MediaRecord]] = [
        wrapped(SESSION, records, settings=settings)
        for records in (
            audio_records(SESSION, talks),
            video_records(SESSION, [Shot(T + 100, T + 9000, fps=5)]),
            video_records(SESSION, [Shot(T + 4500, T + 7000, 2, fps=5)]),
        )
    ]
    return muxed(topics[0], topics[1], share=topics[2])


@pytest.fixture
def sink(tmp_path: Path) -> Sink:
    return Sink(tmp_path)


def store(sink: Sink, segments: list[Segment]) -> None:
    for segment in segments:
        sink.storing.store(segment, sink.patience)


def test_every_track_becomes_a_file_before_it_is_said(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    store(sink, parts)
    fact = sink.finish(end)
    assert (fact.kind, fact.reason) == (FactKind.RECORDING_STORED, None)
    assert [track.track for track in fact.tracks] == TRACKS
    for track in fact.tracks:
        data = sink.store.get(object_names.track_key(SESSION, track.track))
        assert (track.key, track.size_bytes) == (object_names.track_key(SESSION, track.track), len(data))
        assert (track.start_ms, track.duration_ms) == (end.start_ms, end.duration_ms)
        assert track.count == len(items_of(parts, track.track))
        assert decoded(data).errors == []
    assert len(sink.store.list(object_names.segments_prefix(SESSION))) == end.count
    assert list(sink.settings.scratch_dir.iterdir()) == []


def test_the_recording_is_there_before_any_track_is_begun(
    sink: Sink, recording: list[Segment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an old or a huge meeting's tracks take long, nobody has to wait for the recording."""
    *parts, end = recording
    store(sink, parts)
    written: list[str] = []
    put = sink.store.put_file

    def watched(key: str, path: Path, content_type: str = "") -> None:
        written.append(key)
        put(key, path, content_type)

    monkeypatch.setattr(sink.store, "put_file", watched)
    sink.finish(end)
    assert written == [object_names.movie_key(SESSION), *(object_names.track_key(SESSION, track) for track in TRACKS)]


@pytest.mark.parametrize("kept", [0, 1000, None])
def test_nothing_is_said_of_a_file_that_is_not_there_as_it_was_written(
    sink: Sink, recording: list[Segment], monkeypatch: pytest.MonkeyPatch, kept: int | None
) -> None:
    """A store says that it has taken it, and has only some of it, or (None) nothing at all."""
    *parts, end = recording
    store(sink, parts)
    put, tried = sink.store.put_file, list[str]()

    def losing(key: str, path: Path, content_type: str = "") -> None:
        tried.append(key)
        if tried.count(key) > 1:
            put(key, path, content_type)
        elif kept is not None:
            sink.store.put(key, path.read_bytes()[:kept], content_type)

    monkeypatch.setattr(sink.store, "put_file", losing)
    fact = sink.finish(end)
    assert fact.stored is not None
    for said in (fact.stored, *fact.tracks):
        assert said.key is not None
        assert sink.store.stat(said.key).size_bytes == said.size_bytes
        assert tried.count(said.key) == 2


def test_doing_everything_again_changes_nothing(tmp_path: Path, recording: list[Segment]) -> None:
    *parts, end = recording
    folders, facts = [], []
    for _ in range(2):
        sink = Sink(tmp_path)
        store(sink, parts)
        facts.append(sink.finish(end))
        folders.append({item.key: sink.store.get(item.key) for item in sink.store.list("sessions")})
    assert folders[0] == folders[1]
    assert facts[0] == facts[1]


def test_a_track_that_is_made_is_made_again_only_where_its_segments_were(
    tmp_path: Path, recording: list[Segment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that takes over in the middle of two hundred tracks goes on with them."""
    sink = Sink(tmp_path)
    *parts, end = recording
    store(sink, parts)
    for item in sink.store.list("sessions"):
        os.utime(tmp_path / "objects" / item.key, (1000, 1000))
    facts, read = [sink.finish(end)], list[str]()
    get = sink.store.get

    def watched(key: str) -> bytes:
        read.append(key)
        return get(key)

    monkeypatch.setattr(sink.store, "get", watched)
    facts.append(sink.finish(end))
    assert not [key for key in read if "/tracks/" in key]
    again = items_of(parts, TRACKS[1])
    store(sink, again)
    facts.append(sink.finish(end))
    assert {key for key in read if "/tracks/" in key} == {object_names.segment_key(part) for part in again}
    assert facts == [facts[0]] * 3


@pytest.mark.parametrize("track", TRACKS)
def test_a_track_with_a_segment_missing_is_a_failed_one_beside_a_whole_recording(
    sink: Sink, recording: list[Segment], track: str
) -> None:
    *parts, end = recording
    lost = items_of(parts, track)[-1]
    store(sink, [part for part in parts if part is not lost])
    fact = sink.finish(end)
    assert fact.kind is FactKind.RECORDING_STORED
    assert {one.track: one.reason for one in fact.tracks} == dict.fromkeys(TRACKS) | {track: "segments_missing"}
    assert [one.key for one in fact.tracks if one.reason] == [None]


def test_the_tracks_of_a_recording_with_a_segment_missing_are_whole(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    store(sink, [part for part in parts if part is not items_of(parts)[1]])
    fact = sink.finish(end)
    assert (fact.kind, fact.reason) == (FactKind.RECORDING_FAILED, "segments_missing")
    assert [track.reason for track in fact.tracks] == [None] * 3


def test_why_somebody_has_no_track_is_said(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    store(sink, parts)
    fact = sink.finish(replace(end, reason=names.TOO_MANY))
    assert (fact.kind, fact.reason) == (FactKind.RECORDING_STORED, names.TOO_MANY)


def test_tracks_of_a_deleted_session_go_and_are_counted(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    store(sink, parts)
    sink.finish(end)
    count = len(sink.store.list(objects_folder(SESSION)))
    sink.log.sent.clear()
    sink.storing.erase(deleted(SESSION), sink.patience)
    assert sink.store.list(objects_folder(SESSION)) == []
    assert receipt(sink).parts[0].count == count


def test_what_a_record_of_a_track_became_is_forgotten(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    store(sink, parts)
    assert all(track.key for track in sink.finish(end).tracks)
    for segment in recording:
        sink.storing.forget(segment, deleted(SESSION), sink.patience)
    assert sink.store.list(objects_folder(SESSION)) == []


def test_once_a_session_is_deleted_no_further_track_is_made(sink: Sink, recording: list[Segment]) -> None:
    *parts, end = recording
    store(sink, parts)
    answers = iter([False, True, True])
    fact = sink.finish(end, lambda: next(answers))
    assert [track.track for track in fact.tracks] == TRACKS[:1]
    made = {item.key for item in sink.store.list(objects_folder(SESSION))}
    assert [object_names.track_key(SESSION, track) in made for track in TRACKS] == [True, False, False]


def test_a_track_that_is_no_name_is_refused(sink: Sink, recording: list[Segment]) -> None:
    with pytest.raises(BadKey):
        sink.storing.store(replace(recording[0], track="../.."), sink.patience)
    with pytest.raises(BadKey):
        sink.storing.check(replace(recording[-1], tracks=(TrackCount(track="../..", count=1),)))
