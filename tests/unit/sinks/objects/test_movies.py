"""The finished file is what the segments were: played, measured, and the same every time."""

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import pytest

from connectors.objects.errors import Unavailable
from schemas.records import Segment
from sinks.objects.movies import Pieces, UnreadableRecording, write_movie
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import SESSION, decoded, joined, muxed

T = START_MS
MOMENTS = tuple(range(T + 1000, T + 21_000, 2000))


@pytest.fixture(scope="module")
def parts() -> list[Segment]:
    """Two speakers, a camera off for six seconds, two sizes, a pause of everything, a long silence at the end."""
    shots = [
        Shot(T + 200, T + 6000, 1, flashes_ms=MOMENTS),
        Shot(T + 6000, T + 9000, 2, width=200, height=100, flashes_ms=MOMENTS, grey=60),
        Shot(T + 15_000, T + 22_000, 1, flashes_ms=MOMENTS, key_every=500),
    ]
    talks = [Talk(T, T + 22_000, 1, beeps_ms=MOMENTS, hum_hz=0, jitter_ms=1), Talk(T + 2000, T + 5000, 2, level=900)]
    late = Talk(T + 33_000, T + 34_000, 2)
    audio = wrapped(SESSION, audio_records(SESSION, [*talks, late]))
    return muxed(audio, wrapped(SESSION, video_records(SESSION, shots)))[:-1]


def pieces(parts: list[Segment]) -> list[bytes]:
    return [parts[0].init, *(part.payload for part in parts)]


def test_a_flash_and_its_beep_come_together(parts: list[Segment], tmp_path: Path) -> None:
    write_movie(pieces(parts), tmp_path / "movie.mp4")
    result = decoded(tmp_path / "movie.mp4")
    assert result.errors == []
    assert result.times[0] == result.audio_start == 0
    assert result.decode_times == sorted(set(result.decode_times))
    seen, origin_ms = result.flashes(), parts[0].origin_ms
    shown = [moment for moment in MOMENTS if not T + 9000 <= moment < T + 15_000]
    assert seen == pytest.approx([(moment - origin_ms) / 1000 for moment in shown], abs=0.001)
    heard = [min(result.beeps(), key=lambda beep, flash=flash: abs(beep - flash)) for flash in seen]
    assert len(result.beeps()) == len(MOMENTS)
    assert max(abs(beep - flash) for beep, flash in zip(heard, seen, strict=True)) <= 0.005


def test_it_plays_exactly_what_the_segments_played(parts: list[Segment], tmp_path: Path) -> None:
    write_movie(pieces(parts), tmp_path / "movie.mp4")
    movie, segments = decoded(tmp_path / "movie.mp4"), decoded(joined(parts))
    assert movie.times == segments.times
    assert (movie.audio == segments.audio).all()
    assert all((one == other).all() for one, other in zip(movie.lumas, segments.lumas, strict=True))
    assert movie.mean_at((T + 12_000 - parts[0].origin_ms) / 1000) < 2
    assert movie.rms(*((T + ms - parts[0].origin_ms) / 1000 for ms in (22_300, 32_900))) < 1e-4


def test_the_index_stands_in_front_and_nothing_tells_when_it_was_made(parts: list[Segment], tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        write_movie(pieces(parts), tmp_path / name)
    data = (tmp_path / "one.mp4").read_bytes()
    assert data == (tmp_path / "two.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with av.open(str(tmp_path / "one.mp4")) as movie:
        assert "creation_time" not in movie.metadata


def test_what_the_storage_raises_comes_through(parts: list[Segment], tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield from pieces(parts)[:2]
        raise Unavailable("away")

    with pytest.raises(Unavailable):
        write_movie(failing(), tmp_path / "movie.mp4")


@pytest.mark.parametrize("kept", [0, 1])
def test_what_is_no_recording_is_unreadable(parts: list[Segment], tmp_path: Path, kept: int) -> None:
    for rubbish in ([], [b"rubbish" * 50], [pieces(parts)[1][:400]]):
        with pytest.raises(UnreadableRecording):
            write_movie(pieces(parts)[:kept] + rubbish, tmp_path / "movie.mp4")


@pytest.mark.parametrize(("sound", "rubbish"), [(b"avc1", b"what"), (b"mp4a", b"what"), (b"soun", b"\xed\xa0\x80!")])
def test_a_header_that_says_rubbish_is_unreadable_at_worst(
    parts: list[Segment], tmp_path: Path, sound: bytes, rubbish: bytes
) -> None:
    header, *media = pieces(parts)
    with suppress(UnreadableRecording):
        write_movie([header.replace(sound, rubbish), *media], tmp_path / "movie.mp4")


def test_rubbish_anywhere_is_unreadable_at_worst(parts: list[Segment], tmp_path: Path) -> None:
    dice = random.Random(4)
    whole = b"".join(pieces(parts[:2]))
    for _ in range(300):
        data = bytearray(whole[: dice.choice((len(whole), dice.randrange(1, len(whole))))])
        reach = dice.choice((len(data), min(len(data), 3000)))
        for _ in range(dice.choice((1, 5, 50, 1000))):
            data[dice.randrange(reach)] = dice.randrange(256)
        with suppress(UnreadableRecording):
            write_movie([bytes(data)], tmp_path / "movie.mp4")


def test_a_full_disk_is_an_os_error(parts: list[Segment]) -> None:
    with pytest.raises(OSError, match="."):
        write_movie(pieces(parts), Path("/dev/full"))


def test_pieces_are_read_as_one() -> None:
    source = Pieces([b"ab", b"", b"cde"])
    assert [source.read(3) for _ in range(3)] == [b"ab", b"cde", b""]
    source = Pieces([b"abcde"])
    assert [source.read(2) for _ in range(4)] == [b"ab", b"cd", b"e", b""]
