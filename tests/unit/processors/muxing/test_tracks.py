"""What a recording has beside itself: who is heard in which track, what the shared screens' film shows."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import fastavro
import numpy as np
import pytest

from processors.muxing import application, mixing, soundtracks, tracks
from processors.muxing.audio import FRAME, MAX_RATE_HZ
from processors.muxing.chains import PATIENCE_MS
from processors.muxing.fragments import AudioRun, fragment
from processors.muxing.logic import StretchWork, _sent
from processors.muxing.mixing import Chunk
from processors.muxing.pictures import Stretch
from processors.muxing.recordings import MAX_GRID_MS, Frame, Recording
from processors.muxing.tracks import Tracks, hear
from schemas import tracks as names
from schemas.codec import HEADER_BYTES, parsed
from schemas.codec import Codec as WireCodec
from schemas.records import Codec, MediaRecord, OutputKind, Segment, TrackCount, Video
from schemas.settings import RecordingFormat, RecordingView, SessionSettings
from schemas.topics import MAX_RECORD_BYTES, RECORDING_SEGMENTS
from tests.support.media import START_MS, Shot, Talk, audio_records, silent, video_records, wrapped
from tests.support.muxed import SESSION, decoded, items_of, joined, muxed, written
from tests.support.still_pictures import still_records

T = START_MS
ALL = SessionSettings(participant_audio=True, share_track=True)
TALKS = [
    Talk(T, T + 30_000, 1, hum_hz=200, jitter_ms=2),
    Talk(T + 9200, T + 13_500, 2, hum_hz=300),
    Talk(T + 25_200, T + 27_000, 2, hum_hz=310),
    Talk(T + 14_050, T + 15_950, 3, hum_hz=400),
]
FACE = Shot(T, T + 30_000, 1, fps=10, grey=60)
SCREEN = Shot(T + 9000, T + 14_000, 2, width=640, height=360, fps=5, grey=190, key_every=10)
BUSY_FRAME_BYTES = 300
BEFORE_TRACKS = Path(__file__).parents[2] / "schemas" / "segment_before_tracks.avsc"
BLACK, SCREEN_LUMA = 1.5, (180, 215)


def meeting(
    settings: SessionSettings = ALL, talks: Sequence[Talk] = TALKS, screens: Sequence[Video] | None = None
) -> list[Segment]:
    shared = video_records(SESSION, [SCREEN]) if screens is None else list(screens)
    topics: list[list[MediaRecord]] = [
        wrapped(SESSION, records, settings=settings)
        for records in (audio_records(SESSION, talks), video_records(SESSION, [FACE]), shared)
    ]
    return muxed(topics[0], topics[1], share=topics[2])


@pytest.fixture(scope="module")
def parts() -> list[Segment]:
    return meeting()


def voice(parts: list[Segment], participant_id: int) -> list[Segment]:
    return items_of(parts, names.of_participant(participant_id))


def test_the_recording_is_the_same_with_tracks_and_without(parts: list[Segment]) -> None:
    assert items_of(parts) == items_of(meeting(SessionSettings()))
    assert {part.track for part in parts[:-1]} == {"", "share", "participant-1", "participant-2", "participant-3"}


def test_the_end_counts_the_segments_of_every_track(parts: list[Segment]) -> None:
    end = parts[-1]
    assert end.kind is OutputKind.END
    counted = {track.track: track.count for track in end.tracks}
    assert counted == {track: len(items_of(parts, track)) for track in counted}
    assert end.count == len(items_of(parts))
    assert end.reason is None
    assert len({part.segment_id for part in parts}) == len(parts)


def test_a_track_has_segments_where_somebody_is_heard_on_the_recordings_grid(parts: list[Segment]) -> None:
    stretches = {part.start_ms: part.start_ms + part.duration_ms for part in items_of(parts)}
    for who in (1, 2, 3):
        assert all(stretches[part.start_ms] == part.start_ms + part.duration_ms for part in voice(parts, who))
    spoken = [(T + 9200, T + 13_500), (T + 25_200, T + 27_000)]
    heard = [
        (start, end) for start, end in stretches.items() if any(start < to and from_ < end for from_, to in spoken)
    ]
    assert [part.start_ms for part in voice(parts, 2)] == [start for start, _ in heard]
    assert len(voice(parts, 1)) == len(stretches)
    assert all(part.independent for part in voice(parts, 3))


def test_a_tracks_sound_is_only_ones_own_and_at_its_time(parts: list[Segment]) -> None:
    origin_ms = parts[0].origin_ms
    for who, hum_hz, (from_ms, to_ms) in ((2, 300, (9200, 13_500)), (3, 400, (14_050, 15_950))):
        track = decoded(joined(parts, names.of_participant(who)))
        assert track.errors == []
        assert track.audio_start == pytest.approx((voice(parts, who)[0].start_ms - origin_ms) / 1000, abs=0.065)
        at_s = [(T + ms - origin_ms) / 1000 for ms in (from_ms + 100, min(to_ms, from_ms + 1800) - 100)]
        assert track.rms(*at_s) > 0.05
        first, last = (int((at - track.audio_start) * 16_000) for at in at_s)
        spectrum = abs(np.fft.rfft(track.audio[first:last]))
        assert spectrum.argmax() * 16_000 / (last - first) == pytest.approx(hum_hz, abs=3)
        before_s = (T + from_ms - origin_ms) / 1000
        if before_s - 0.2 > track.audio_start:
            assert track.rms(track.audio_start, before_s - 0.1) < 1e-3


def test_outside_of_a_tracks_segments_nothing_would_sound() -> None:
    """A chunk that ends with a stretch sounds on in the frame that overlaps the border, so that one is written."""
    rate_hz, end_ms = 16_000, T + 4000
    record = audio_records(SESSION, [Talk(T, T + 100, 7)])[0]
    border = -(-mixing.sample_at(end_ms, rate_hz) // FRAME) * FRAME
    for start, is_heard in ((border + FRAME - 1, True), (border + FRAME, False)):
        chunk = Chunk(start, 0, 1600, record)
        assert bool(hear(Tracks(), [chunk], T, end_ms, rate_hz).participants) is is_heard
        following = hear(Tracks(), [chunk], end_ms, end_ms + 4000, rate_hz)
        assert following.participants == (7,)


def test_an_open_microphone_that_sends_zeros_is_not_heard() -> None:
    """It has neither segments nor one of the tracks that there is room for; the others' are the same."""
    quiet = [Talk(T, T + 29_000, 7, hum_hz=0), Talk(T, T + 14_000, 3, hum_hz=0)]
    parts, without = meeting(ALL, [*TALKS, *quiet]), meeting(ALL)
    assert [part for part in parts if part.track != names.RECORDING] == [p for p in without if p.track]
    assert items_of(parts) == items_of(without)
    assert parts[-1].tracks == without[-1].tracks


def test_everybody_added_up_is_the_mix(parts: list[Segment]) -> None:
    records = audio_records(SESSION, [*TALKS, Talk(T + 9000, T + 12_000, 4, level=32_000)])
    chunks, _ = mixing.place(records, {}, 16_000)
    span = mixing.sample_at(T, 16_000), 30 * 16_000, 16_000
    total = sum(samples.astype(np.int32) for _, samples in mixing.apart(chunks, *span))
    assert (np.clip(total, -32768, 32767) == mixing.mix(chunks, *span)).all()


def test_mixed_sound_and_whoever_has_no_id_have_no_track() -> None:
    both = replace(ALL, mixed_audio=True)
    assert not any(names.participant_of(part.track) for part in meeting(both)[:-1])
    parts = meeting(ALL, [*TALKS, Talk(T, T + 3000, names.NOBODY)])
    assert {track.track for track in parts[-1].tracks} == {"share", *(names.of_participant(who) for who in (1, 2, 3))}


def test_more_participants_than_there_is_room_for_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.tracks.MAX_PARTICIPANTS", 2)
    end = meeting()[-1]
    assert [track.track for track in end.tracks] == ["participant-1", "participant-2", "share"]
    assert end.reason == names.TOO_MANY


def test_who_comes_again_as_somebody_else_has_another_track() -> None:
    end = meeting(ALL, [Talk(T, T + 3000, 1), Talk(T + 20_000, T + 23_000, 9)])[-1]
    assert [track.track for track in end.tracks] == ["participant-1", "participant-9", "share"]


def test_a_recording_of_sound_alone_has_its_participants_and_no_film() -> None:
    parts = meeting(replace(ALL, recording_format=RecordingFormat.MP3))
    assert [track.track for track in parts[-1].tracks] == ["participant-1", "participant-2", "participant-3"]
    assert decoded(joined(parts, "participant-1")).errors == []


def test_what_cannot_be_written_leaves_silence_in_every_track(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end counts a segment for each participant, so there is one, whatever becomes of the sound."""
    record = audio_records(SESSION, [Talk(T, T + 100, 7)])[0]
    chunk = Chunk(mixing.sample_at(T, 16_000), 0, 1600, record)
    work = StretchWork(Frame.of(ALL), 0, T, T, T + 4000, (), (), (chunk,), participants=(7, 8))
    heard = soundtracks.soundtracks(work)
    assert heard.apart.keys() == {7, 8}
    assert heard.apart[8] == soundtracks.soundtracks(replace(work, chunks=())).apart[7]
    assert heard.apart[7] != heard.apart[8]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.JPG])
@pytest.mark.parametrize("view", [RecordingView.SPEAKER, RecordingView.GALLERY])
def test_the_film_shows_the_shared_screen_at_its_time_and_else_black(codec: Codec, view: RecordingView) -> None:
    screens = video_records(SESSION, [SCREEN]) if codec is Codec.H264 else still_records(SESSION, [SCREEN], codec)
    parts = meeting(replace(ALL, recording_view=view), screens=screens)
    film = decoded(joined(parts, names.SHARE))
    assert film.errors == []
    first_ms = items_of(parts, names.SHARE)[0].start_ms - parts[0].origin_ms
    assert film.times[0] == pytest.approx((first_ms - 1) / 1000)
    assert len(film.audio) == 0
    assert film.decode_times == sorted(set(film.decode_times))
    at = lambda ms: film.mean_at(max((T + ms - parts[0].origin_ms) / 1000, film.times[0]))  # noqa: E731
    for dark_ms in (0, 5000, 8990, 13_800 + PATIENCE_MS + 1, 29_000):
        assert at(dark_ms) < BLACK
    for screen_ms in (9000, 11_111, 13_800 + PATIENCE_MS - 1):
        assert SCREEN_LUMA[0] < at(screen_ms) < SCREEN_LUMA[1]
    if codec is Codec.H264:
        assert {luma.shape for luma in film.lumas} == {(360, 640)}
    starts = [part.start_ms for part in items_of(parts, names.SHARE)]
    assert starts[0] > T + 5000
    assert starts[-1] < T + 18_000


@pytest.mark.parametrize("to_ms", range(12_000, 16_000, 600))
def test_the_film_goes_dark_in_whatever_stretch_that_falls(to_ms: int) -> None:
    parts = meeting(screens=video_records(SESSION, [replace(SCREEN, to_ms=T + to_ms)]))
    film, last_ms = decoded(joined(parts, names.SHARE)), to_ms - 200
    assert {luma.shape for luma in film.lumas} == {(360, 640)}
    for ms, is_dark in ((last_ms + PATIENCE_MS - 1, False), (last_ms + PATIENCE_MS, True), (29_000, True)):
        assert (film.mean_at((T + ms - parts[0].origin_ms) / 1000) < BLACK) is is_dark


def test_the_films_first_black_is_short_however_late_a_screen_is_shared() -> None:
    """Its time is counted in 32 bits, and a session may last 30 hours."""
    late_ms, size = T + 29 * 3_600_000, Frame.of(ALL).size
    screen = replace(SCREEN, from_ms=late_ms + 2000, to_ms=late_ms + 3000)
    sent = [_sent(record) for record in video_records(SESSION, [screen])]
    shown = tracks.film(Tracks(), sent, Stretch(late_ms, late_ms + 4000, is_first=False), size)
    assert [picture.time_ms for picture in shown.pictures][:2] == [late_ms - 1, late_ms]
    assert fragment(1, shown.pictures, AudioRun(0, ()), T, shown.until_ms)


def test_in_the_gallery_the_recording_is_the_same_with_a_film_and_without_while_something_else_is_there() -> None:
    gallery = SessionSettings(recording_view=RecordingView.GALLERY)
    assert items_of(meeting(gallery)) == items_of(meeting(replace(gallery, share_track=True)))


def test_in_the_gallery_a_recording_with_a_film_lasts_as_long_as_a_screen_is_shared() -> None:
    """What is filmed is the recording's media: it begins with it and ends with it, and none of the film is cut off."""
    gallery = SessionSettings(recording_view=RecordingView.GALLERY)
    screens = video_records(SESSION, [replace(SCREEN, from_ms=T - 9000, to_ms=T + 45_000)])
    alone = meeting(gallery, screens=screens)[-1]
    parts = meeting(replace(gallery, share_track=True), screens=screens)
    itself, film, end = items_of(parts), items_of(parts, names.SHARE), parts[-1]
    assert alone.start_ms == pytest.approx(T, abs=130)
    assert alone.start_ms + alone.duration_ms == pytest.approx(T + 30_000, abs=200)
    assert itself[0].start_ms == film[0].start_ms == pytest.approx(T - 9000, abs=130)
    assert end.start_ms + end.duration_ms == pytest.approx(T + 45_000, abs=200)
    assert sum(part.pictures for part in film) >= len(screens)
    dark = decoded(joined(parts))
    assert dark.errors == []
    assert dark.mean_at((T + 40_000 - end.start_ms) / 1000) < BLACK


def test_a_screen_that_is_shared_again_is_seen_again() -> None:
    later = replace(SCREEN, from_ms=T + 24_000, to_ms=T + 29_900)
    parts = meeting(screens=video_records(SESSION, [SCREEN, later]))
    film = decoded(joined(parts, names.SHARE))
    assert film.errors == []
    at = lambda ms: film.mean_at(max((T + ms - parts[0].origin_ms) / 1000, film.times[0]))  # noqa: E731
    assert [at(ms) > BLACK for ms in (8000, 10_000, 20_000, 24_000, 29_500)] == [False, True, False, True, True]


def test_without_a_shared_screen_there_is_no_film() -> None:
    parts = meeting(screens=[])
    assert "share" not in {track.track for track in parts[-1].tracks}
    parts = muxed(wrapped(SESSION, [], settings=ALL), wrapped(SESSION, [], settings=ALL), share=silent(SESSION, ALL))
    assert parts[-1].tracks == ()


def test_a_still_that_cannot_be_decoded_is_black_in_the_film_and_a_dead_letter() -> None:
    good = still_records(SESSION, [replace(SCREEN, fps=1)], Codec.PNG)
    torn = [replace(record, payload=record.payload[:200]) for record in good]
    settings = replace(ALL, recording_view=RecordingView.GALLERY)
    sound, share = (wrapped(SESSION, r, settings=settings) for r in (audio_records(SESSION, TALKS), torn))
    works: list[StretchWork] = []
    parts = muxed(sound, wrapped(SESSION, [], settings=settings), share=share, works=works)
    assert {track.track for track in parts[-1].tracks} >= {"share"}
    asides = [aside for work in works if work.film for aside in application._written(SESSION, work).asides]
    assert asides
    assert decoded(joined(parts, names.SHARE)).errors == []


def test_large_screens_are_cut_into_parts_that_fit_into_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.muxing.parts.PART_BYTES", 2500)
    parts = meeting()
    film = items_of(parts, names.SHARE)
    assert len(film) > 4
    assert len({part.start_ms for part in film}) == len(film)
    assert parts[-1].tracks[-1] == TrackCount(track=names.SHARE, count=len(film))
    assert decoded(joined(parts, names.SHARE)).errors == []


def test_a_segment_of_sound_fits_into_a_record_however_it_is_recorded() -> None:
    """Noise as loud as can be, at the highest rate, in a stretch longer than any. Sound is not cut into parts."""
    frame = Frame.of(ALL)._replace(rate_hz=MAX_RATE_HZ, grid_ms=MAX_GRID_MS)
    end_ms = T + 2 * MAX_GRID_MS + 1000
    noise = np.random.default_rng(1).choice([-32768, 32767], (end_ms - T) * MAX_RATE_HZ // 1000).astype("<i2")
    (record,) = audio_records(SESSION, [Talk(T, T + 100, 7, rate_hz=MAX_RATE_HZ)])
    chunk = Chunk(mixing.sample_at(T, MAX_RATE_HZ), 0, len(noise), replace(record, payload=noise.tobytes()))
    work = StretchWork(frame, 0, T, T, end_ms, (), (), (chunk,), participants=(7,))
    (segment,) = written(SESSION, work)
    assert segment.audio_samples == pytest.approx(len(noise), abs=FRAME)
    assert segment.audio_samples // FRAME * BUSY_FRAME_BYTES < len(segment.payload) < MAX_RECORD_BYTES // 2


def test_a_state_from_before_there_were_tracks_is_read() -> None:
    recording = Recording(Frame.of(SessionSettings()), T)
    old = recording.to_json()
    assert "tracks" not in old
    for name in ("participant_audio", "share_track"):
        del old["frame"][name]
    assert Recording.from_json(old) == recording
    assert Recording.from_json(old | {"tracks": Tracks().to_json()}) == recording
    counted = replace(recording, tracks=tracks.Tracks({"share": 3}, is_crowded=True))
    assert Recording.from_json(counted.to_json()) == counted


def test_who_read_segments_before_there_were_tracks_takes_none_for_the_recordings(parts: list[Segment]) -> None:
    """The sink stores an item under its start: a participant's would stand where the recording's does."""
    old = fastavro.parse_schema(json.loads(BEFORE_TRACKS.read_text()))
    codec = WireCodec.with_ids_from([RECORDING_SEGMENTS])
    for part in parts:
        body = io.BytesIO(codec.encode(RECORDING_SEGMENTS, part)[HEADER_BYTES:])
        read = fastavro.schemaless_reader(body, parsed(RECORDING_SEGMENTS.schema), old)
        assert isinstance(read, dict)
        assert read["kind"] == ("unknown" if part.track else part.kind)
        assert read["segment_id"] == part.segment_id
