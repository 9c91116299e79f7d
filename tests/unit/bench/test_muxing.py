"""What the muxing group makes of its figures, and what it accepts as a recording."""

import pytest

from schemas.topics import AUDIO, SHARE, VIDEO
from tests.bench.muxing import CORE, PROCESSOR, compared, flat, judged, meetings_per_core, muxed
from tests.bench.recordings import Broken, check_decodes, check_pictures
from tests.bench.reencoders import FFMPEG, GSTREAMER, Reencoder
from tests.support.in_step import Watched
from tests.support.long_meeting import LongMeeting
from tests.support.media import START_MS, Shot, Talk, audio_records, silent, video_records, wrapped
from tests.support.muxed import SESSION, Decoded, joined

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
    assert [row.first_goal for row in rows] == [25, 50, 12, 25]


def test_a_rival_that_did_not_run_leaves_its_rows_open() -> None:
    rows = compared({CORE: 0.2, PROCESSOR: 0.4, FFMPEG.name: 12.0})
    open_rows = [row for row in rows if row.rival_name == GSTREAMER.name]
    assert [(row.met, row.first_met) for row in open_rows] == [(None, None)] * 2
    assert all(row.note for row in open_rows)


def test_growth_is_what_stays_not_what_comes_and_goes() -> None:
    starting, band = [50, 90, 160, 160], [168, 183, 167, 176, 180, 172] * 10
    assert flat([*starting, *band]).ours == 0
    leak = [resident + minute for minute, resident in enumerate(band)]
    assert flat([*starting, *leak]).ours == pytest.approx(50, abs=2)


def test_a_minute_that_costs_half_a_second_makes_120_meetings_a_core() -> None:
    core, processor = meetings_per_core({CORE: 0.2, PROCESSOR: 0.5, FFMPEG.name: 12.0})
    assert (core.ours, processor.ours) == (300, 120)
    assert "derived" in core.note
    assert core.met is None


MEETING = LongMeeting((), [], [])


def seen(*offsets_ms: float, errors: tuple[str, ...] = ()) -> Watched:
    return Watched(0, Decoded(errors=list(errors)), offsets_ms)


def test_the_worst_beep_of_the_hour_counts_early_or_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LongMeeting, "flashes_ms", [1, 2, 3])
    row = judged(MEETING, seen(1.0, -4.5, 2.0))
    assert (row.ours, row.goal, row.met) == (4.5, 5.0, True)
    assert judged(MEETING, seen(1.0, -5.5, 2.0)).met is False
    for void in (seen(1.0, 2.0), seen(1.0, 2.0, 3.0, errors=("h264: error while decoding",))):
        with pytest.raises(Broken):
            judged(MEETING, void)


def test_a_rival_says_once_what_to_install() -> None:
    rival = Reencoder("rival", lambda material, output: [], lambda: ["b", "a", "b"])
    assert rival.remedy == "not measured: apt-get install a b"
    assert Reencoder("rival", lambda material, output: [], lambda: []).remedy == ""
