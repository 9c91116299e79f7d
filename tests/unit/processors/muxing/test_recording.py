"""What comes out is played: every claim about a recording is checked on decoded pictures and sound."""

import numpy as np
import pytest

from processors.checkpoint.folds import Fold
from processors.muxing.logic import MuxingLogic
from schemas.records import Codec, OutputKind, RecordKind, Segment
from schemas.settings import AudioCodec, SessionSettings
from schemas.topics import AUDIO
from tests.support.encoded_sound import CHUNK_MS, RATES_HZ, encoded
from tests.support.media import START_MS, Shot, Talk, audio_records, control, video_records, wrapped
from tests.support.muxed import SESSION, decoded, joined, muxed

T = START_MS
BLACK = 1.5


def recording(shots: list[Shot], talks: list[Talk]) -> list[Segment]:
    audio = wrapped(SESSION, audio_records(SESSION, talks))
    return muxed(audio, wrapped(SESSION, video_records(SESSION, shots)))


def at(time_ms: int, parts: list[Segment]) -> float:
    return (time_ms - parts[0].origin_ms) / 1000


def test_a_flash_and_its_beep_come_together() -> None:
    moments = tuple(range(T + 1000, T + 15_000, 2000))
    shots = [
        Shot(T + 200, T + 6000, 1, flashes_ms=moments),
        Shot(T + 6000, T + 11_000, 2, width=200, height=100, flashes_ms=moments, grey=60),
        Shot(T + 11_000, T + 16_000, 1, flashes_ms=moments, key_every=500),
    ]
    talks = [Talk(T, T + 16_000, 1, beeps_ms=moments, hum_hz=0, jitter_ms=1), Talk(T + 2000, T + 9000, 2, level=900)]
    parts = recording(shots, talks)
    result = decoded(joined(parts))
    assert result.errors == []
    assert result.decode_times == sorted(set(result.decode_times))
    assert result.flashes() == pytest.approx([at(moment, parts) for moment in moments], abs=0.001)
    assert len(result.beeps()) == len(moments)
    offsets = [beep - flash for beep, flash in zip(result.beeps(), result.flashes(), strict=True)]
    assert max(map(abs, offsets)) <= 0.005
    assert {luma.shape for luma in result.lumas} == {(180, 320), (100, 200)}


def test_silence_where_nobody_spoke_and_black_where_nothing_was_seen() -> None:
    shots = [Shot(T + 2000, T + 4000), Shot(T + 12_000, T + 14_000)]
    talks = [Talk(T, T + 3000), Talk(T + 5500, T + 6500, 2), Talk(T + 11_000, T + 14_000)]
    parts = recording(shots, talks)
    result = decoded(joined(parts))
    assert result.errors == []
    for quiet in ((3200, 5400), (6700, 10_900)):
        assert result.rms(*(at(T + ms, parts) for ms in quiet)) < 1e-4
    for loud in ((100, 2900), (5600, 6400), (11_100, 13_900)):
        assert result.rms(*(at(T + ms, parts) for ms in loud)) > 0.05
    for dark in (100, 1900, 4050, 9000, 11_900):
        assert result.mean_at(at(T + dark, parts)) < BLACK
    for bright in (2000, 3990, 12_000, 13_900):
        assert result.mean_at(at(T + bright, parts)) > 60
    assert len(result.audio) / 16_000 == pytest.approx(14.064, abs=0.065)


def test_a_meeting_without_cameras_is_a_black_recording_with_sound() -> None:
    parts = recording([], [Talk(T, T + 9000)])
    result = decoded(joined(parts))
    assert result.errors == []
    assert [part.independent for part in parts[:-1]] == [True] * 3
    assert {luma.shape for luma in result.lumas} == {(720, 1280)}
    assert all(luma.max() <= BLACK for luma in result.lumas)
    assert result.rms(0.2, 9.0) == pytest.approx(3000 / 32768 / 2**0.5, rel=0.02)


def test_a_meeting_without_sound_is_a_silent_recording() -> None:
    parts = recording([Shot(T, T + 6000)], [])
    result = decoded(joined(parts))
    assert result.errors == []
    assert abs(result.audio).max() < 1e-4
    assert len(result.audio) / 16_000 == pytest.approx(6.064, abs=0.065)


def test_sound_is_seamless_across_segments() -> None:
    parts = recording([], [Talk(T, T + 21_000, hum_hz=333, level=9000)])
    result = decoded(joined(parts))
    step = abs(result.audio[1:] - result.audio[:-1])[3200:-3200].max()
    assert step < 9000 / 32768 * 2 * 3.1416 * 333 / 16_000 * 1.2


def test_bidirectional_pictures_are_shown_in_order() -> None:
    parts = recording([Shot(T, T + 9000, b_pictures=2, key_every=30)], [Talk(T, T + 9000)])
    result = decoded(joined(parts))
    assert result.errors == []
    assert len(result.times) == 225
    assert result.times == sorted(result.times)
    assert result.decode_times == sorted(set(result.decode_times))


def test_every_segment_plays_with_its_own_header_alone() -> None:
    parts = recording([Shot(T + 500, T + 9000, key_every=25)], [Talk(T, T + 12_000)])
    for part in parts[:-1]:
        result = decoded(part.init + part.payload)
        assert part.independent
        assert result.errors == []
        assert len(result.times) == part.pictures
        assert len(result.audio) == part.audio_samples
        assert result.times[0] * 1000 == pytest.approx(part.start_ms - part.origin_ms, abs=0.1)


def test_the_end_says_what_there_is() -> None:
    *parts, end = recording([Shot(T, T + 9000)], [Talk(T + 500, T + 9500)])
    assert end.kind is OutputKind.END
    assert end.count == len(parts)
    assert end.start_ms == end.origin_ms == parts[0].start_ms
    assert end.duration_ms == sum(part.duration_ms for part in parts) == T + 9500 - end.origin_ms
    assert len({part.segment_id for part in parts}) == len(parts)


def test_replayed_segments_have_the_same_bytes() -> None:
    shots, talks = [Shot(T, T + 6000)], [Talk(T, T + 6000), Talk(T + 300, T + 5000, 2)]
    assert recording(shots, talks) == recording(shots, talks)


def test_settings_that_cannot_be_read_stand_for_the_defaults() -> None:
    begin = control(SESSION, RecordKind.BEGIN, T)
    assert begin.begin is not None
    logic = MuxingLogic()
    sound = logic.observe(AUDIO.name, Fold().part, begin).part
    object.__setattr__(begin.begin, "settings", "no JSON")
    assert logic.observe(AUDIO.name, Fold().part, begin).part == sound


@pytest.mark.parametrize(("codec", "channels"), [(Codec.G711, 1), (Codec.G722, 1), (Codec.OPUS, 1), (Codec.OPUS, 2)])
def test_every_codec_is_heard_seamlessly_and_with_its_picture(codec: Codec, channels: int) -> None:
    moments = tuple(range(T + 1000, T + 11_000, 2000))
    settings = SessionSettings(audio_codec=AudioCodec(codec))
    rate_hz = 48_000 if codec is Codec.OPUS else 16_000
    talks = [
        Talk(T, T + 12_000, 1, beeps_ms=moments, hum_hz=0, rate_hz=RATES_HZ[codec], chunk_ms=CHUNK_MS),
        Talk(T + 2000, T + 9000, 2, level=9000, hum_hz=300, rate_hz=RATES_HZ[codec], chunk_ms=CHUNK_MS),
    ]
    plain = audio_records(SESSION, talks)
    video = wrapped(SESSION, video_records(SESSION, [Shot(T, T + 12_000, flashes_ms=moments)]))
    sent, meant = (wrapped(SESSION, some, settings=settings) for some in (encoded(plain, codec, channels), plain))
    result, wanted = decoded(joined(muxed(sent, video))), decoded(joined(muxed(meant, video)))
    assert result.errors == []
    offsets = [beep - flash for beep, flash in zip(result.beeps(rate_hz), result.flashes(), strict=True)]
    assert max(map(abs, offsets)) <= 0.005
    assert result.audio.shape == wanted.audio.shape
    assert np.corrcoef(result.audio, wanted.audio)[0, 1] > 0.98
    between_beeps = slice(rate_hz * 33 // 10, rate_hz * 49 // 10)  # across the border of two segments
    assert abs(result.audio - wanted.audio)[between_beeps].max() < 0.03
