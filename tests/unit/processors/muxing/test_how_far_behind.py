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


def behind_ms(rows: list[Arrival]) -> list[int]:
    """Of each segment written while the meeting goes on: how long ago its first moment was."""
    engine, offsets, found = Session(SessionKey(0, SESSION), MuxingLogic()), dict.fromkeys(MuxingLogic.topics, 0), []
    for now_ms, topic, record in sorted(rows, key=lambda row: row[0]):
        waiting = engine.feed(topic, offsets[topic], record, 1)
        offsets[topic] += 1
        while waiting:
            window = waiting.pop(0)
            assert isinstance(window.work, StretchWork)
            found.append(now_ms - window.work.start_ms)
            waiting += engine.done(window)
    return found


@pytest.mark.parametrize(
    ("talks", "cameras", "screens"),
    [([TALK], [CAMERA], [SCREEN]), ([TALK], [CAMERA], []), ([TALK], [], []), ([], [CAMERA], []), ([], [], [SCREEN])],
    ids=["everything", "no screen", "sound alone", "a camera alone", "a screen alone"],
)
def test_at_most_ten_seconds(talks: list[Talk], cameras: list[Shot], screens: list[Shot]) -> None:
    found = behind_ms(
        [
            *arrivals(AUDIO.name, audio_records(SESSION, talks), Audio),
            *arrivals(VIDEO.name, video_records(SESSION, cameras), Video),
            *arrivals(SHARE.name, still_records(SESSION, screens), Video),
        ]
    )
    assert len(found) >= (LENGTH_MS - MOST_MS) // 4000
    assert max(found) <= MOST_MS
