"""How far a recording is behind its meeting while it goes on, in the time that its records themselves tell.

A viewer of the playlist sees a moment when its segment has been written: that many seconds after it happened. Records
are fed when they would arrive; a medium that is silent has ticks as a worker writes them: each second, a second late.
"""

import pytest

from processors.checkpoint.sessions import Session, SessionKey
from processors.muxing.logic import MuxingLogic, StretchWork
from schemas.records import Audio, MediaRecord, RecordKind, Video
from schemas.topics import AUDIO, SHARE, VIDEO
from tests.support.media import START_MS, Shot, Talk, audio_records, control, video_records
from tests.support.muxed import SESSION
from tests.support.still_pictures import still_records

T = START_MS
MOST_MS = 10_000
LENGTH_MS = 40_000
TALK = Talk(T, T + LENGTH_MS, chunk_ms=100)
CAMERA = Shot(T, T + LENGTH_MS, fps=10, key_every=37)
SCREEN = Shot(T, T + LENGTH_MS, 2, fps=1)

Arrival = tuple[int, str, MediaRecord]


def arrivals(topic: str, frames: list[Audio] | list[Video], of: type[MediaRecord]) -> list[Arrival]:
    """When each record of a topic is written: a chunk of sound when it is full, a tick where nothing came."""
    rows: list[Arrival] = [(T, topic, control(SESSION, RecordKind.BEGIN, T, of=of))]
    rows += [(r.timestamp_ms + (TALK.chunk_ms if of is Audio else 0), topic, r) for r in frames]
    heard = {at_ms // 1000 for at_ms, _, _ in rows[1:]}
    quiet = [second for second in range(T // 1000 + 1, (T + LENGTH_MS) // 1000) if second not in heard]
    rows += [(s * 1000, topic, control(SESSION, RecordKind.TICK, s * 1000 - 1000, of=of)) for s in quiet]
    return sorted(rows, key=lambda row: row[0])


def stretches(rows: list[Arrival]) -> list[tuple[int, StretchWork]]:
    """What is written while the meeting goes on: of each stretch how long ago its first moment was, and itself."""
    engine, offsets, found = Session(SessionKey(0, SESSION), MuxingLogic()), dict.fromkeys(MuxingLogic.topics, 0), []
    for now_ms, topic, record in sorted(rows, key=lambda row: row[0]):
        waiting = engine.feed(topic, offsets[topic], record, 1)
        offsets[topic] += 1
        while waiting:
            window = waiting.pop(0)
            assert isinstance(window.work, StretchWork)
            found.append((now_ms - window.work.start_ms, window.work))
            waiting += engine.done(window)
    return found


@pytest.mark.parametrize(
    ("talks", "cameras", "screens"),
    [([TALK], [CAMERA], [SCREEN]), ([TALK], [CAMERA], []), ([TALK], [], []), ([], [CAMERA], []), ([], [], [SCREEN])],
    ids=["everything", "no screen", "sound alone", "a camera alone", "a screen alone"],
)
def test_at_most_ten_seconds(talks: list[Talk], cameras: list[Shot], screens: list[Shot]) -> None:
    found = stretches(
        [
            *arrivals(AUDIO.name, audio_records(SESSION, talks), Audio),
            *arrivals(VIDEO.name, video_records(SESSION, cameras), Video),
            *arrivals(SHARE.name, still_records(SESSION, screens), Video),
        ]
    )
    assert len(found) >= (LENGTH_MS - MOST_MS) // 4000
    assert max(behind_ms for behind_ms, _ in found) <= MOST_MS


@pytest.mark.parametrize("key_every", [7, 37, 500])
@pytest.mark.parametrize("late_ms", [0, 100, 1900, 2000, 2050, 2900, 3500, 3950, 3999])
def test_wherever_in_a_slot_a_meeting_begins(late_ms: int, key_every: int) -> None:
    from_ms, to_ms = T + late_ms, T + late_ms + 16_000
    pictures = video_records(SESSION, [Shot(from_ms, to_ms, fps=10, key_every=key_every)])
    found = stretches(
        [
            *arrivals(AUDIO.name, audio_records(SESSION, [Talk(from_ms, to_ms, chunk_ms=100)]), Audio),
            *arrivals(VIDEO.name, pictures, Video),
            *arrivals(SHARE.name, [], Video),
        ]
    )
    keys = {picture.timestamp_ms for picture in pictures if picture.key_frame}
    for behind_ms, work in found:
        assert behind_ms <= MOST_MS
        if work.end_ms == to_ms:
            continue  # the last one ends with its media
        assert 2000 <= work.end_ms - work.start_ms <= 6000
        line_ms = (max(work.start_ms, from_ms) // 4000 + 1) * 4000
        first_ms = max(line_ms, work.start_ms + 2000)
        assert work.end_ms in keys or not keys.intersection(range(first_ms, min(line_ms, work.start_ms + 4000) + 2000))
