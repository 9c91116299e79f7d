"""What it costs to draw a recording anew in which a screen is shared all the time, beside muxing it.

The speaker is the camera of all benchmarks; the screen is 1080p5, pages of a document that is scrolled now and then.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from statistics import median

import av
import numpy as np

from schemas.records import Codec, MediaRecord, RecordKind, Video
from schemas.settings import RecordingView, SessionSettings
from schemas.topics import AUDIO, SHARE, VIDEO
from tests.bench.meeting import MINUTE_MS, Written, minute
from tests.bench.muxing import muxed
from tests.bench.processor_runs import new_sessions
from tests.bench.recordings import check_decodes
from tests.bench.rows import Row
from tests.support.composed import Meeting
from tests.support.media import START_MS, wrapped

WIDTH, HEIGHT, FPS = 1920, 1080, 5
SCROLLED_EVERY = 10
"""Pictures; in between a pointer moves."""

VIEWS = (RecordingView.SIDE_BY_SIDE, RecordingView.SHARED_SCREEN_WITH_SPEAKER)

Say = Callable[[str], None]


def measure(rounds: int, say: Say) -> list[Row]:
    say("encoding the camera's film, and the screen's")
    minute()
    _screen()
    rows = []
    for view in VIEWS:
        meeting, muxing = _recorded(view)
        found = []
        for number in range(1, rounds + 1):
            found.append(_drawn(meeting))
            say(f"round {number}, {view}: {found[-1]:.3g} CPU s")
        rows.append(
            Row(
                name=f"composing {view}, a minute of 720p25 and a screen of 1080p{FPS}",
                unit="CPU s",
                ours=median(found),
                note=f"beside {muxing:.2f} s of muxing it",
            )
        )
    return rows


def _drawn(meeting: Meeting) -> float:
    before = time.process_time()
    drawn = meeting.drawn()
    used = time.process_time() - before
    check_decodes(meeting.whole(drawn), sum(segment.pictures for segment in drawn))
    assert len(drawn) == meeting.end.count
    return used


def _recorded(view: RecordingView) -> tuple[Meeting, float]:
    """The minute as it is muxed for a view, and the CPU seconds of that."""
    (session_id,) = new_sessions(1)
    settings = SessionSettings(recording_view=view)
    records = list(_records(session_id, settings))
    before = time.process_time()
    parts = muxed(session_id, records)
    return Meeting(parts, settings), time.process_time() - before


def _records(session_id: str, settings: SessionSettings) -> Iterator[Written]:
    frames = {
        AUDIO: [f for t, f in minute().frames if t is AUDIO],
        VIDEO: [f for t, f in minute().frames if t is VIDEO],
    }
    for topic, of in (*frames.items(), (SHARE, list(_screen()))):
        own = [replace(frame, session_id=session_id) for frame in of]
        for record in wrapped(session_id, own, settings=settings):
            yield topic, record


@cache
def _screen() -> Sequence[MediaRecord]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "crf": "23", "x264-params": "keyint=50:bframes=0"}
    count = MINUTE_MS // 1000 * FPS
    packets = [packet for picture in _pages(count) for packet in encoder.encode(picture)]
    return tuple(
        Video(
            session_id="", kind=RecordKind.FRAME, epoch=1, sequence=number, arrived_us=0, participant_id=2,
            timestamp_ms=START_MS + number * 1000 // FPS, codec=Codec.H264, key_frame=bool(packet.is_keyframe),
            payload=bytes(packet),
        )
        for number, packet in enumerate(packets)
    )  # fmt: skip


def _pages(count: int) -> Iterator[av.VideoFrame]:
    """Lines of words, black on white, and a pointer."""
    dice = np.random.default_rng(1)
    ink = dice.random((4 * HEIGHT // 24, WIDTH // 8)) < 0.4
    glyphs = dice.random((4 * HEIGHT // 24, 16, WIDTH // 8, 8)) < 0.5
    paper = np.full((4 * HEIGHT // 24, 24, WIDTH // 8, 8), 235, np.uint8)
    paper[:, :16][glyphs & ink[:, None, :, None]] = 20
    text = paper.reshape(-1, WIDTH)
    for number in range(count):
        top = number // SCROLLED_EVERY * 120 % (text.shape[0] - HEIGHT)
        luma = text[top : top + HEIGHT].copy()
        x, y = (number * 37) % (WIDTH - 32), (number * 23) % (HEIGHT - 32)
        luma[y : y + 24, x : x + 16] = 90
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield frame
