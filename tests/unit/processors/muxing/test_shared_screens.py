"""Shared screens and stills, seen in what a player decodes."""

import io
from dataclasses import replace

import av
import pytest

from processors.muxing.chains import COVER_MS, PATIENCE_MS
from processors.muxing.filming import filmed
from processors.muxing.logic import StretchWork
from processors.muxing.parts import Part
from processors.muxing.pictures import ShownPicture
from processors.muxing.recordings import Frame
from processors.muxing.stills import MAX_SEGMENTS, still
from schemas.records import Codec, MediaRecord, Segment, Video
from schemas.settings import RecordingView, SessionSettings
from tests.support.media import START_MS, Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import SESSION, Decoded, decoded, joined, muxed
from tests.support.still_pictures import plain, still_picture, still_records

T = START_MS
SOUND = [Talk(T, T + 20_000)]
FACE = Shot(T, T + 20_000, 1, grey=60)
SCREEN = Shot(T + 5000, T + 10_000, 2, width=640, height=360, fps=5, grey=190, key_every=10)
BLACK, FACE_LUMA, SCREEN_LUMA = 1.5, (50, 85), (180, 215)


def recording(
    cameras: list[Video], screens: list[Video], view: RecordingView = RecordingView.SPEAKER, until_ms: int = T + 20_000
) -> list[Segment]:
    settings = SessionSettings(recording_view=view)
    topics: list[list[MediaRecord]] = [
        wrapped(SESSION, records, settings=settings)
        for records in (audio_records(SESSION, [Talk(T, until_ms)]), cameras, screens)
    ]
    return muxed(topics[0], topics[1], share=topics[2])


def seen(parts: list[Segment], time_ms: int, result: Decoded) -> float:
    return result.mean_at((time_ms - parts[0].origin_ms) / 1000)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.JPG, Codec.PNG])
def test_a_shared_screen_is_shown_instead_of_the_speaker(codec: Codec) -> None:
    screens = video_records(SESSION, [SCREEN]) if codec is Codec.H264 else still_records(SESSION, [SCREEN], codec)
    parts = recording(video_records(SESSION, [FACE]), screens)
    result = decoded(joined(parts))
    assert result.errors == []
    assert result.decode_times == sorted(set(result.decode_times))
    assert all(part.independent for part in parts[:-1])
    for face_ms in (100, 4990, 14_000, 19_900):
        assert FACE_LUMA[0] < seen(parts, T + face_ms, result) < FACE_LUMA[1]
    for screen_ms in (5000, 7777, 9990, 9800 + COVER_MS - 100):
        assert SCREEN_LUMA[0] < seen(parts, T + screen_ms, result) < SCREEN_LUMA[1]
    back_ms = next(at_ms for at_ms in range(9800 + COVER_MS, 15_000) if seen(parts, T + at_ms, result) < FACE_LUMA[1])
    assert back_ms <= 9800 + PATIENCE_MS
    assert {luma.shape for luma in result.lumas} == {(180, 320), (360, 640)}


def test_in_the_gallery_faces_stay() -> None:
    parts = recording(video_records(SESSION, [FACE]), video_records(SESSION, [SCREEN]), RecordingView.GALLERY)
    assert {luma.shape for luma in decoded(joined(parts)).lumas} == {(180, 320)}


def test_a_screen_alone_is_a_recording_too() -> None:
    parts = recording([], video_records(SESSION, [SCREEN]), until_ms=T + 14_000)
    result = decoded(joined(parts))
    assert result.errors == []
    for dark_ms in (100, 4900, 9800 + PATIENCE_MS, 13_900):
        assert seen(parts, T + dark_ms, result) < BLACK
    for screen_ms in (5000, 9800 + PATIENCE_MS - 1):
        assert SCREEN_LUMA[0] < seen(parts, T + screen_ms, result) < SCREEN_LUMA[1]


@pytest.mark.parametrize(("codec", "fps"), [(Codec.JPG, 5), (Codec.PNG, 2), (Codec.JPG, 1)])
def test_cameras_as_stills_are_filmed_at_their_times(codec: Codec, fps: int) -> None:
    shot = Shot(T + 3000, T + 15_000, fps=fps, grey=90)
    parts = recording(still_records(SESSION, [shot], codec), [], until_ms=T + 18_000)
    result = decoded(joined(parts))
    assert result.errors == []
    assert all(part.independent for part in parts[:-1])
    bright = [at for at, luma in zip(result.times, result.lumas, strict=True) if luma.mean() > 50]
    wanted = [(at_ms - parts[0].origin_ms) / 1000 for at_ms in shot.times()]
    assert bright == pytest.approx(wanted, abs=0.001)
    for dark_ms in (2900, 15_000 - 1000 // fps + PATIENCE_MS + 20, 17_900):
        assert seen(parts, T + dark_ms, result) < BLACK


def test_a_screen_that_stands_still_is_encoded_once_a_segment() -> None:
    slides = still_records(SESSION, [replace(SCREEN, from_ms=T, to_ms=T + 16_000)], still_ms=60_000)
    parts = recording([], slides, until_ms=T + 16_000)
    assert [part.pictures for part in parts[:-1]] == [1, 1, 1, 1]
    assert sum(len(part.payload) for part in parts) < 400_000
    result = decoded(joined(parts))
    assert {round(float(luma.mean())) for luma in result.lumas} == {round(float(result.lumas[0].mean()))}


def test_the_last_picture_of_a_segment_lasts_until_the_next_ones_first() -> None:
    slides = still_records(SESSION, [replace(SCREEN, from_ms=T + 300, to_ms=T + 16_000, fps=1)])
    faces = video_records(SESSION, [replace(FACE, fps=7, key_every=999)])
    for parts in (recording([], slides), recording(faces, [])):
        packets = _packets(joined(parts))
        assert len(packets) > 12
        assert [end for _, end in packets[:-1]] == pytest.approx([start for start, _ in packets[1:]], abs=0.001)


def _packets(movie: bytes) -> list[tuple[float, float]]:
    """When each picture begins and ends."""
    with av.open(io.BytesIO(movie)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.dts is not None]
        return [(float(p.dts * p.time_base), float((p.dts + p.duration) * p.time_base)) for p in packets]


def stretch(pictures: list[bytes], codec: Codec = Codec.PNG) -> StretchWork:
    shown = tuple(ShownPicture(T + at * 200, T + at * 200, True, data, codec) for at, data in enumerate(pictures))
    frame = Frame.of(SessionSettings())
    return StretchWork(frame, 0, T, T, T + 4000, (Part(T, T + 4000, shown),), (), ())


def test_what_cannot_be_decoded_is_black_and_refused() -> None:
    good = still_picture(SCREEN, T, Codec.PNG)
    torn = good[: len(good) // 2]
    film = filmed(stretch([good, torn, good, good[:20], good]))
    assert film.refused == (torn, good[:20])
    assert [picture.is_key for picture in film.work.parts[0].pictures] == [True] * 5
    assert all(picture.codec is Codec.H264 for picture in film.work.parts[0].pictures)


@pytest.mark.parametrize("size", [(16, 16_386), (65_000, 16)])
@pytest.mark.parametrize("codec", [Codec.JPG, Codec.PNG])
def test_a_still_that_no_encoder_takes_is_no_picture(codec: Codec, size: tuple[int, int]) -> None:
    """It ended the process that met it, and each successor."""
    narrow = replace(still_records(SESSION, [SCREEN], codec)[3], payload=plain(size, codec))
    screens = [*still_records(SESSION, [SCREEN], codec)[:3], narrow]
    parts = recording(video_records(SESSION, [FACE]), screens)
    assert seen(parts, T + 2000, decoded(joined(parts))) == pytest.approx(60, abs=15)
    largest = filmed(stretch([plain((16, 16_384), codec)], codec))
    assert largest.refused == ()


def test_a_still_that_hides_its_size_takes_no_more_memory_than_others() -> None:
    """In a segment that decoders look into lies a picture of 9.8 megapixels; with 64 KB it could be of 268."""
    hidden = plain((4096, 2400), Codec.JPG)[2:]
    shown = plain((16, 16), Codec.JPG)
    picture = b"".join((shown[:2], b"\xff\xf0", (len(hidden) + 2).to_bytes(2, "big"), hidden, shown[2:]))
    assert still(Codec.JPG, picture) is not None
    assert filmed(stretch([picture], Codec.JPG)).refused == (picture,)
    assert filmed(stretch([plain((4096, 2304), Codec.JPG)], Codec.JPG)).refused == ()


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\xd0", b"\xff\xe0\0\2"])
def test_a_still_with_thousands_of_segments_before_its_frame_is_no_picture(filling: bytes) -> None:
    """Two million of them took seconds, each time that the picture was looked at."""
    picture = plain((64, 64), Codec.JPG)
    assert still(Codec.JPG, picture[:2] + filling * 1000 + picture[2:]) is not None
    assert still(Codec.JPG, picture[:2] + filling * MAX_SEGMENTS + picture[2:]) is None


def test_the_same_stills_make_the_same_bytes() -> None:
    pictures = [still_picture(SCREEN, T + at * 200, Codec.JPG) for at in range(10)]
    one, other = (filmed(stretch(pictures, Codec.JPG)).work for _ in range(2))
    assert one == other
    assert [picture.is_key for picture in one.parts[0].pictures] == [True] + [False] * 9
    assert b"x264" not in b"".join(picture.data for picture in one.parts[0].pictures)
