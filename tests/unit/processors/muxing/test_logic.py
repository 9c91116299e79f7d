"""Muxing's decisions survive crashes: through the real checkpoint engine, in trouble, with real pictures."""

import random
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import pairwise

import pytest

from processors.checkpoint.missing import Missing
from processors.muxing import logic
from processors.muxing.logic import EndWork, MuxingLogic, StretchWork
from schemas.records import Audio, MediaRecord, RecordKind, Video
from schemas.settings import RecordingFormat, RecordingView, SessionSettings
from schemas.topics import AUDIO, SHARE, VIDEO
from tests.support.crash_simulation import Trouble, faults, simulate, undisturbed
from tests.support.media import START_MS, Shot, Talk, audio_records, control, video_records, wrapped
from tests.support.muxed import SESSION, decoded, muxed
from tests.support.still_pictures import still_records

T = START_MS


def identify(session_id: str, work: object) -> tuple[str, Hashable]:
    """Works themselves: what is written is a pure function of them."""
    if isinstance(work, EndWork):
        return f"{session_id}/end", (work.origin_ms - T, work.duration_ms, work.count, work.tracks)
    if isinstance(work, Missing):
        return f"{session_id}/{work.hole.medium}/{work.hole.from_ms - T}", work
    assert isinstance(work, StretchWork)
    return f"{session_id}/{work.start_ms - T}", work


def wishes(seed: int) -> SessionSettings:
    """A recording with some of what it may have beside itself."""
    dice = random.Random(seed)
    return SessionSettings(
        participant_audio=dice.choice((True, True, False)),
        share_track=dice.choice((True, True, False)),
        recording_view=dice.choice((RecordingView.SPEAKER, RecordingView.GALLERY)),
    )


def troubled_meeting(
    rng: random.Random, session_id: str, settings: SessionSettings | None = None
) -> dict[str, list[MediaRecord]]:
    """Two speakers, a camera that goes off, a shared screen, a silence of everything, a hand-over, disorder,
    repetitions, late ones; cameras and screen as film or as stills."""
    shots = [
        Shot(T + 500, T + 5500, 1, fps=5, key_every=12, b_pictures=rng.choice((0, 0, 2))),
        Shot(T + 5500, T + 8000, 2, fps=5, key_every=4, skip=rng.choice((0, 1))),
        Shot(T + 19_000, T + 22_000, 1, fps=5, width=200, height=100, key_every=rng.choice((3, 15))),
    ]
    talks = [
        Talk(T, T + 7000, 1, chunk_ms=500, jitter_ms=4),
        Talk(T + 3000, T + 9000, 2, chunk_ms=500, hum_hz=300),
        Talk(T + 20_100, T + 23_300, 1, chunk_ms=500),
    ]
    screens = [Shot(T + 2500, T + 7000, 2, fps=2, key_every=4), Shot(T + 20_500, T + 22_500, 1, fps=1, key_every=3)]
    filmed: list[Callable[..., list[Video]]] = [video_records, video_records, still_records]
    frames: dict[str, list[MediaRecord]] = {
        AUDIO.name: list(audio_records(session_id, talks)),
        VIDEO.name: list(rng.choice(filmed)(session_id, shots)),
        SHARE.name: list(rng.choice(filmed)(session_id, screens)),
    }
    disturbed = {topic: _disturbed(rng, records) for topic, records in frames.items()}
    return {topic: wrapped(session_id, records, settings=settings) for topic, records in disturbed.items()}


def _disturbed(rng: random.Random, records: list[MediaRecord]) -> list[MediaRecord]:
    change = rng.randrange(len(records))
    records = [replace(r, epoch=2, sequence=i) if i >= change else r for i, r in enumerate(records)]
    keyed = sorted(enumerate(records), key=lambda row: row[0] + (rng.randrange(3) if row[0] != change else 0))
    disturbed = []
    for index, record in keyed:
        disturbed.append(record)
        if rng.random() < 0.05:
            disturbed.append(rng.choice(disturbed[-4:]))
        if rng.random() < 0.05:
            disturbed.append(replace(record, sequence=1000 + index, timestamp_ms=record.timestamp_ms - 3500))
    return disturbed


@pytest.mark.parametrize("seed", range(6))
def test_a_crash_anywhere_changes_nothing(seed: int) -> None:
    rng = random.Random(seed)
    sessions = [f"app_{number}" for number in range(2)]
    meetings = {session: troubled_meeting(rng, session, wishes(seed)) for session in sessions}
    expected = undisturbed(MuxingLogic(), meetings, identify)
    assert len(expected) > 8
    outcome = simulate(MuxingLogic(), meetings, identify, seed, Trouble())
    assert outcome.crashes
    assert faults(outcome, expected) == []


@pytest.mark.parametrize("seed", range(6, 12))
def test_the_order_in_which_topics_are_read_does_not_show(seed: int) -> None:
    meeting = troubled_meeting(random.Random(seed), SESSION, wishes(seed))
    one = undisturbed(MuxingLogic(), {SESSION: meeting}, identify, seed=1)
    assert all(undisturbed(MuxingLogic(), {SESSION: meeting}, identify, seed=other) == one for other in range(2, 6))


def test_stretches_follow_each_other_without_a_hole() -> None:
    meeting = troubled_meeting(random.Random(3), SESSION)
    works = [w for w in undisturbed(MuxingLogic(), {SESSION: meeting}, identify).values() if isinstance(w, StretchWork)]
    works.sort(key=lambda work: work.start_ms)
    assert [work.end_ms for work in works[:-1]] == [work.start_ms for work in works[1:]]
    assert works[-1].end_ms == T + 23_300
    slots = {work.slot for work in works}
    assert slots == set(range(min(slots), max(slots) + 1))
    assert all(work.parts[0].pictures for work in works)


def test_a_segment_begins_with_a_picture_wherever_its_meeting_goes_on_in_the_dark() -> None:
    """Players that are given pictures and sound apart stand still where one of them has a hole."""
    talks = [Talk(T, T + 9300), Talk(T + 15_100, T + 16_350), Talk(T + 23_000, T + 25_000)]
    parts = muxed(
        wrapped(SESSION, audio_records(SESSION, talks)),
        wrapped(SESSION, video_records(SESSION, [Shot(T, T + 3000, fps=5)])),
    )[:-1]
    resumed = [part for before, part in pairwise(parts) if before.start_ms + before.duration_ms - T in (9300, 16_350)]
    assert [part.start_ms - T for part in resumed] == [9300, 16_350]
    for part in parts:
        shown = decoded(part.init + part.payload)
        assert shown.errors == []
        assert shown.times[0] == pytest.approx((part.start_ms - part.origin_ms) / 1000, abs=0.001)


def test_a_session_that_wants_no_recording_gets_none() -> None:
    settings = SessionSettings(recording_format=RecordingFormat.NONE)
    audio = wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 3000)]), settings=settings)
    video = wrapped(SESSION, [], settings=settings)
    assert muxed(audio, video) == []


def test_a_session_without_media_has_an_empty_end() -> None:
    (end,) = muxed(wrapped(SESSION, []), wrapped(SESSION, []))
    assert (end.count, end.duration_ms) == (0, 0)


def test_the_grid_is_the_sessions_own() -> None:
    settings = SessionSettings(grid_ms=2000)
    audio = wrapped(SESSION, audio_records(SESSION, [Talk(T, T + 7000)]), settings=settings)
    parts = muxed(audio, wrapped(SESSION, [], settings=settings))
    assert [part.start_ms - T for part in parts[1:-1]] == [2000, 4000, 6000]


@pytest.mark.parametrize(
    "record",
    [
        replace(audio_records("s", [Talk(T, T + 100)])[0], payload=b"odd"),
        replace(audio_records("s", [Talk(T, T + 100)])[0], channels=0),
        replace(video_records("s", [Shot(T, T + 100)])[0], payload=b""),
        replace(video_records("s", [Shot(T, T + 100)])[0], payload=bytes(logic.MAX_PICTURE_BYTES + 1)),
        control("s", RecordKind.TICK, T),
    ],
)
def test_what_cannot_be_recorded_is_left_out(record: MediaRecord) -> None:
    assert not logic.is_usable(record)


def test_frames_can_be_recorded() -> None:
    assert isinstance(record := audio_records("s", [Talk(T, T + 100)])[0], Audio)
    assert logic.is_usable(record)
    assert isinstance(picture := video_records("s", [Shot(T, T + 100)])[0], Video)
    assert logic.is_usable(picture)


def test_large_stretches_are_cut_at_key_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.muxing.parts.PART_BYTES", 2500)
    video = wrapped(SESSION, video_records(SESSION, [Shot(T, T + 4000, key_every=5)]))
    *parts, end = muxed(wrapped(SESSION, []), video)
    assert end.count == len(parts) > 3
    assert [part.part for part in parts] == list(range(len(parts)))
    assert all(part.independent for part in parts)
    starts = [part.start_ms for part in parts]
    assert [part.start_ms + part.duration_ms for part in parts] == [*starts[1:], T + 4000]
    assert all(len(part.payload) < 2500 + 3000 for part in parts)


def test_sound_that_comes_behind_a_tick_which_had_passed_it_is_heard() -> None:
    """A Zoom that is held up answers a ping before it sends what was due: one word in a silence, a little late."""
    talks = [Talk(T, T + 1000), Talk(T + 3000, T + 3200), Talk(T + 9000, T + 9200)]
    sound = wrapped(SESSION, audio_records(SESSION, talks))
    word = next(index for index, record in enumerate(sound) if record.timestamp_ms >= T + 3000 and record.sequence)
    tick = control(SESSION, RecordKind.TICK, T + 3900, of=Audio)
    works: list[StretchWork] = []
    muxed([*sound[:word], tick, *sound[word:]], wrapped(SESSION, []), works=works)
    heard = {chunk.record.timestamp_ms - T for work in works for chunk in work.chunks}
    assert {3000, 3100} <= heard
