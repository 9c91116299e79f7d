"""A recording that is sound alone is an MP3: as long, as loud and as late as its segments, and the same every time."""

from pathlib import Path

import av
import pytest

from schemas import object_names
from schemas.records import FactKind, Segment
from schemas.settings import AudioCodec, RecordingFormat, SessionSettings
from sinks.objects.movies import write_movie
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.memory_deletions import deleted
from tests.support.muxed import SESSION, decoded, joined, muxed
from tests.unit.sinks.objects.test_storing import Sink

T = START_MS
MOMENTS = tuple(range(T + 1000, T + 11_000, 2000))


def recording(codec: AudioCodec = AudioCodec.L16) -> list[Segment]:
    """With a camera and a screen that nobody wants."""
    settings = SessionSettings(recording_format=RecordingFormat.MP3, audio_codec=codec)
    talks = [Talk(T, T + 12_000, beeps_ms=MOMENTS, hum_hz=0), Talk(T + 4000, T + 6000, 2)]
    pictures = wrapped(SESSION, video_records(SESSION, [Shot(T, T + 12_000)]), settings=settings)
    audio = wrapped(SESSION, audio_records(SESSION, talks), settings=settings)
    return muxed(audio, pictures, share=pictures)


@pytest.mark.parametrize(("codec", "rate_hz"), [(AudioCodec.L16, 16_000), (AudioCodec.OPUS, 48_000)])
def test_it_is_an_mp3_of_what_was_said_when_it_was_said(codec: AudioCodec, rate_hz: int, tmp_path: Path) -> None:
    *parts, end = recording(codec)
    path = tmp_path / "recording.mp3"
    assert not write_movie([parts[0].init, *(part.payload for part in parts)], path)
    with av.open(str(path)) as file:
        assert (file.format.name, [stream.codec_context.name for stream in file.streams]) == ("mp3", ["mp3float"])
    sound = decoded(path)
    wanted = [(moment - end.origin_ms) / 1000 for moment in MOMENTS]
    assert sound.errors == []
    assert len(sound.audio) / rate_hz == pytest.approx(end.duration_ms / 1000, abs=0.1)
    heard = [beep - sound.audio_start for beep in sound.beeps(rate_hz)]  # a player begins with the first sample
    assert heard == pytest.approx(wanted, abs=0.005)
    first = path.read_bytes()
    write_movie([parts[0].init, *(part.payload for part in parts)], path)
    assert path.read_bytes() == first


def test_its_segments_are_sound_alone_and_play_by_themselves() -> None:
    *parts, end = recording()
    assert end.count == len(parts) == 3
    assert all(part.independent and not part.pictures for part in parts)
    assert decoded(joined(parts)).lumas == []
    for part in parts:
        assert len(decoded(part.init + part.payload).audio) == part.audio_samples


def test_it_is_stored_and_stated_under_its_own_name(tmp_path: Path) -> None:
    sink = Sink(tmp_path)
    *parts, end = recording()
    for part in parts:
        sink.storing.store(part, sink.patience)
    fact = sink.finish(end)
    assert fact.kind is FactKind.RECORDING_STORED
    assert fact.stored is not None
    assert fact.stored.key == object_names.sound_key(SESSION)
    assert fact.stored.size_bytes == len(sink.store.get(object_names.sound_key(SESSION)))
    sink.storing.forget(end, deleted(SESSION), sink.patience)
    assert [item.key for item in sink.store.list("sessions") if item.key.endswith(".mp3")] == []
