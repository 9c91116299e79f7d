"""Files of tracks line up with the recording, and are the same every time."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from processors.muxing import audio
from processors.muxing.fragments import AudioRun, fragment, picture_header
from processors.muxing.h264 import Size
from processors.muxing.pictures import BLACK_EVERY_MS, ShownPicture, black_sample
from schemas import tracks as names
from schemas.records import Codec, MediaRecord, Segment
from schemas.settings import AudioCodec, SessionSettings
from sinks.objects.movies import UnreadableRecording, write_movie
from sinks.objects.track_files import FRAME, SILENT_PACKET, write_film, write_sound
from tests.support.encoded_sound import CHUNK_MS, RATES_HZ, encoded
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import SESSION, decoded, items_of, muxed

T = START_MS
MOMENTS = (T + 1000, T + 13_000, T + 27_000)
SPOKEN = {1: [(0, 4000), (26_000, 28_000)], 2: [(12_000, 16_100)]}
SHOWN = [(6000, 9000), (19_000, 22_000)]
DARK_MS = 2000
HOUR_MS = 3_600_000
ONE, TWO = names.of_participant(1), names.of_participant(2)


def meeting(codec: Codec) -> list[Segment]:
    talks = [
        Talk(
            T + from_ms,
            T + to_ms,
            who,
            hum_hz=200 * who,
            beeps_ms=tuple(m for m in MOMENTS if from_ms <= m - T < to_ms),
            chunk_ms=CHUNK_MS,
            rate_hz=RATES_HZ[codec],
        )
        for who, spoken in SPOKEN.items()
        for from_ms, to_ms in spoken
    ]
    screens = [Shot(T + from_ms, T + to_ms, 2, fps=5, grey=190, key_every=10) for from_ms, to_ms in SHOWN]
    settings = SessionSettings(participant_audio=True, share_track=True, audio_codec=AudioCodec(codec))
    topics: list[list[MediaRecord]] = [
        wrapped(SESSION, records, settings=settings)
        for records in (
            encoded(audio_records(SESSION, talks), codec),
            video_records(SESSION, [Shot(T, T + 30_000, 1, fps=5, grey=60)]),
            video_records(SESSION, screens),
        )
    ]
    return muxed(topics[0], topics[1], share=topics[2])


@pytest.fixture(scope="module")
def parts() -> list[Segment]:
    return meeting(Codec.L16)


def pieces(parts: list[Segment], track: str = names.RECORDING) -> list[bytes]:
    items = items_of(parts, track)
    return [items[0].init, *(item.payload for item in items)]


@pytest.mark.parametrize("codec", [Codec.L16, Codec.OPUS])
def test_all_files_of_a_meeting_begin_and_end_together(codec: Codec, tmp_path: Path) -> None:
    parts = meeting(codec)
    end, rate_hz = parts[-1], 48_000 if codec is Codec.OPUS else 16_000
    write_movie(pieces(parts), tmp_path / "recording.mp4")
    recording = decoded(tmp_path / "recording.mp4")
    total = np.zeros_like(recording.audio)
    for track in (ONE, TWO):
        write_sound(pieces(parts, track), tmp_path / f"{track}.m4a", end.duration_ms)
        found = decoded(tmp_path / f"{track}.m4a")
        assert found.errors == []
        assert found.audio_start == pytest.approx(recording.audio_start, abs=0.001)
        assert abs(len(found.audio) - len(recording.audio)) <= FRAME
        seconds = [(m - end.start_ms) / 1000 for m in MOMENTS if any(a <= m - T < b for a, b in SPOKEN[int(track[-1])])]
        assert found.beeps(rate_hz) == pytest.approx(seconds, abs=0.005)
        length = min(len(total), len(found.audio))
        total[:length] += found.audio[:length]
    voice = float(np.sqrt(np.mean(recording.audio**2)))
    assert float(np.sqrt(np.mean((total - recording.audio) ** 2))) < voice / 20


def test_there_is_silence_where_somebody_says_nothing(parts: list[Segment], tmp_path: Path) -> None:
    write_sound(pieces(parts, ONE), tmp_path / "one.m4a", parts[-1].duration_ms)
    found, origin_ms = decoded(tmp_path / "one.m4a"), parts[0].origin_ms
    for from_ms, to_ms in ((4300, 25_800), (28_300, 29_900)):
        assert found.rms((T + from_ms - origin_ms) / 1000, (T + to_ms - origin_ms) / 1000) < 1e-4
    with av.open(str(tmp_path / "one.m4a")) as container:
        times = [packet.pts for packet in container.demux() if packet.pts is not None]
    assert np.diff(times).tolist() == [FRAME] * (len(times) - 1)
    data = (tmp_path / "one.m4a").read_bytes()
    assert data[4:12] == b"ftypM4A "
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_file_has_the_packets_of_its_segments_and_nothing_else_that_sounds(
    parts: list[Segment], tmp_path: Path
) -> None:
    write_sound(pieces(parts, TWO), tmp_path / "two.m4a", parts[-1].duration_ms)
    (tmp_path / "segments").write_bytes(b"".join(pieces(parts, TWO)))
    written, sent = sounding(tmp_path / "two.m4a"), sounding(tmp_path / "segments")
    assert written == sent
    assert len(sent) > 60


def sounding(path: Path) -> list[tuple[int | None, bytes]]:
    with av.open(str(path)) as container:
        packets = [(packet.pts, bytes(packet)) for packet in container.demux() if packet.size]
    return [(time, data) for time, data in packets if data != SILENT_PACKET]


def test_the_film_is_as_long_as_the_recording_and_black_where_nothing_is_shared(
    parts: list[Segment], tmp_path: Path
) -> None:
    end = parts[-1]
    write_film(pieces(parts, names.SHARE), tmp_path / "share.mp4", end.duration_ms)
    film = decoded(tmp_path / "share.mp4")
    assert film.errors == []
    assert film.times[0] == 0
    lit = {ms: film.mean_at((T + ms - end.start_ms) / 1000) > 20 for ms in range(0, 29_900, 100)}
    assert lit == {ms: any(a <= ms < b - 200 + DARK_MS for a, b in SHOWN) for ms in lit}
    with av.open(str(tmp_path / "share.mp4")) as container:
        (pictures,) = container.streams
        assert pictures.duration is not None
        assert pictures.time_base is not None
        assert float(pictures.duration * pictures.time_base) == pytest.approx(end.duration_ms / 1000, abs=0.001)


def test_the_same_segments_make_the_same_file(parts: list[Segment], tmp_path: Path) -> None:
    for write, track in ((write_sound, ONE), (write_film, names.SHARE)):
        for name in ("a", "b"):
            write(pieces(parts, track), tmp_path / name, parts[-1].duration_ms)
        assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 32_000, 48_000])
def test_a_silent_packet_is_what_the_encoder_makes_of_nothing(rate_hz: int) -> None:
    assert set(audio.silence(40, rate_hz)) == {SILENT_PACKET}


@pytest.mark.parametrize("write", [write_sound, write_film])
def test_what_no_player_could_play_is_unreadable(
    write: Callable[[list[bytes], Path, int], None], parts: list[Segment], tmp_path: Path
) -> None:
    other = ONE if write is write_film else names.SHARE
    for bad in ([b"rubbish" * 100], [], pieces(parts, other), pieces(parts, other)[:1]):
        with pytest.raises(UnreadableRecording):
            write(bad, tmp_path / "file", 30_000)


def shown_at(number: int, hours: float) -> bytes:
    """A segment of the film: a screen is seen from there on for a second, and again black."""
    at_ms = T + int(hours * HOUR_MS)
    pictures = [
        ShownPicture(time_ms, time_ms, True, black_sample(Size(320, 180), parity * BLACK_EVERY_MS))
        for parity, time_ms in enumerate((at_ms - 1, at_ms, at_ms + 1000))
    ]
    return fragment(number, pictures, AudioRun(0, ()), T, at_ms + 4000)


@pytest.mark.parametrize(
    ("shared_h", "length_h"), [([7], 8), ([1], 9), ([1, 8], 9), ([14], 15), ([0.5, 29], 30), ([1, 7.63], 16)]
)
def test_a_film_keeps_its_times_however_long_nothing_is_shared(
    shared_h: list[float], length_h: int, tmp_path: Path
) -> None:
    header, length_ms = picture_header((), Size(320, 180)), length_h * HOUR_MS
    segments = [shown_at(number, hours) for number, hours in enumerate(shared_h, 1)]
    write_film([header, *segments], tmp_path / "share.mp4", length_ms)
    with av.open(str(tmp_path / "share.mp4")) as container:
        (pictures,) = container.streams
        assert pictures.time_base is not None
        assert pictures.duration is not None
        times = [round(p.pts * pictures.time_base * 1000) for p in container.demux() if p.pts is not None]
        assert round(pictures.duration * pictures.time_base * 1000) == length_ms
    at_ms = [int(hours * HOUR_MS) for hours in shared_h]
    assert times == [0, *[ms + after for ms in at_ms for after in (-1, 0, 1000)][1:]]
    film = decoded(tmp_path / "share.mp4")
    assert film.errors == []
    assert [round(time * 1000) for time in film.times] == times
