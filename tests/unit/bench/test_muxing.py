"""What the muxing group makes of its figures, and what it accepts as a recording."""

import pytest

from schemas.topics import AUDIO, SHARE, VIDEO
from tests.bench.muxing import CORE, PROCESSOR, compared, flat, muxed
from tests.bench.recordings import Broken, check_decodes, check_pictures
from tests.bench.reencoders import FFMPEG, GSTREAMER, Reencoder
from tests.support.media import START_MS, Shot, Talk, audio_records, silent, video_records, wrapped
from tests.support.muxed import SESSION, joined

SHOT = Shot(START_MS, START_MS + 6000, fps=25, key_every=50)
PICTURES = 150


def recording() -> bytes:
    sound = wrapped(SESSION, audio_records(SESSION, [Talk(START_MS, START_MS + 6000)]))
    pictures = wrapped(SESSION, video_records(SESSION, [SHOT]))
    topics = {AUDIO: sound, VIDEO: pictures, SHARE: silent(SESSION)}
    return joined(muxed(SESSION, [(topic, record) for topic, records in topics.items() for record in records]))


def test_a_whole_recording_is_accepted() -> None:
    check_pictures(recording(), PICTURES)
    check_decodes(recording(), PICTURES)


@pytest.mark.parametrize("check", [check_pictures, check_decodes])
def test_a_figure_for_a_recording_that_lacks_pictures_is_void(check) -> None:
    with pytest.raises(Broken, match="150 pictures of 151"):
        check(recording(), PICTURES + 1)


def test_a_recording_that_does_not_decode_is_void() -> None:
    data = bytearray(recording())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    with pytest.raises(Broken):
        check_decodes(bytes(data), PICTURES)


def test_both_of_ours_are_compared_with_both_rivals() -> None:
    rows = compared({CORE: 0.2, PROCESSOR: 0.4, GSTREAMER.name: 8.0, FFMPEG.name: 12.0})
    assert [(row.ratio, row.goal) for row in rows] == [(40, 30), (60, 60), (20, 15), (30, 30)]


def test_a_rival_that_did_not_run_leaves_its_rows_open() -> None:
    rows = compared({CORE: 0.2, PROCESSOR: 0.4, FFMPEG.name: 12.0})
    assert [row.met for row in rows if row.rival_name == GSTREAMER.name] == [None, None]


def test_growth_counts_from_when_memory_has_settled_to_its_peak() -> None:
    assert flat([50, 90, 100, 101, 102, 104, 109, 103]).ours == 7


def test_a_rival_says_once_what_to_install() -> None:
    rival = Reencoder("rival", lambda material, output: [], lambda: ["b", "a", "b"])
    assert rival.remedy == "not measured: apt-get install a b"
    assert Reencoder("rival", lambda material, output: [], lambda: []).remedy == ""
