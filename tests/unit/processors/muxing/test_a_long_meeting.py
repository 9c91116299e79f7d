"""Ten minutes with everything in them that may go wrong: whatever can be seen is heard at its moment, in the finished
file. The bench has the hour (`tests/bench/muxing.py`)."""

from collections import Counter

import pytest

from tests.support.in_step import MOST_MS, Watched, watched
from tests.support.long_meeting import FLASH_AT_MS, SCENE_MS, SIZES, LongMeeting, Scene, long_meeting
from tests.support.muxed import SESSION

MINUTES, SEED = 10, 10
BLACK = 1.5


@pytest.fixture(scope="module")
def meeting() -> LongMeeting:
    return long_meeting(SESSION, MINUTES, SEED)


@pytest.fixture(scope="module")
def seen(meeting: LongMeeting, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watched(SESSION, meeting, tmp_path_factory.mktemp("long") / "recording.mp4")


def test_everything_happens_in_it(meeting: LongMeeting) -> None:
    acts = meeting.acts
    assert Counter(act.scene for act in acts).keys() == set(Scene)
    assert {act.size for act in acts} == set(SIZES)
    assert acts[-1].epoch > 3
    assert any(act.skipped for act in acts if act.has_picture)
    assert min(picture.timestamp_ms for picture in meeting.video) - meeting.audio[0].timestamp_ms >= 60_000
    assert meeting.longest_voice_ms >= 120_000, "too short for a clock that drifts"
    for topic in (meeting.audio, meeting.video):
        times = [record.timestamp_ms for record in topic]
        assert times != sorted(times)
        assert len({(record.epoch, record.sequence) for record in topic}) < len(topic)
        assert any(record.sequence > 1_000_000 for record in topic), "nothing was sent again much later"


def test_every_flash_has_its_beep(meeting: LongMeeting, seen: Watched) -> None:
    assert seen.decoded.errors == []
    assert seen.decoded.decode_times == sorted(set(seen.decoded.decode_times))
    wanted = [(moment - seen.origin_ms) / 1000 for moment in meeting.flashes_ms]
    assert seen.decoded.flashes() == pytest.approx(wanted, abs=0.001)
    assert len(seen.offsets_ms) == len(wanted) > 30
    assert max(map(abs, seen.offsets_ms)) <= MOST_MS


def test_black_and_silence_are_exactly_where_nobody_sent(meeting: LongMeeting, seen: Watched) -> None:
    for act in meeting.acts[1:-1]:
        middle_s = (act.moment_ms - seen.origin_ms) / 1000 + 0.05
        assert (seen.decoded.mean_at(middle_s) > BLACK) == act.has_picture, act
        around = (act.moment_ms - FLASH_AT_MS + 500, act.moment_ms - FLASH_AT_MS + SCENE_MS - 500)
        loud = seen.decoded.rms(*((at_ms - seen.origin_ms) / 1000 for at_ms in around))
        assert (loud > 1e-4) == bool(act.scene), act
