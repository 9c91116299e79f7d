"""Where one stretch of a recording ends and the next begins, decided by times alone.

The grid is absolute: slot g is [g, g + 1) x grid_ms of Zoom's time. A boundary lies at the first key frame in the first
half of a slot, else at the slot's start, so that most segments can be played by themselves. A stretch that begins late
in its slot, as the first one may, is no splinter: it lasts half a slot at least, and ends in the middle of the next one
at the latest. So none is longer than a slot and a half. Where picture and sound both stop and nothing follows for half
a slot, the stretch ends with them: a recording is not longer than its media, and what comes later fills the hole when
it comes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from processors.muxing.audio import FRAME, LEAD_IN_FRAMES, LEAD_OUT_FRAMES
from processors.muxing.chains import COVER_MS, HOLD_MS
from processors.muxing.h264 import access_unit
from processors.muxing.mixing import MAX_CHUNK_MS, TOLERANCE_MS, duration_ms
from processors.muxing.stills import CODECS as STILL_CODECS
from schemas.records import Audio, MediaRecord, Video

REORDER_MS = 500
"""How far back a picture may lie that was sent after a boundary's."""


class Boundary(NamedTuple):
    """`is_pause`: nothing follows for now, so the next stretch needs nothing of what came before."""

    end_ms: int
    is_pause: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """The grid slot of a stretch that begins at `start_ms`."""

    number: int
    start_ms: int
    grid_ms: int
    rate_hz: int

    @property
    def line_ms(self) -> int:
        """Where the next slot starts."""
        return (self.number + 1) * self.grid_ms

    @property
    def plain_ms(self) -> int:
        """Where the stretch ends without a key frame: at the line, or where that is near, half a slot behind it."""
        half_ms = self.grid_ms // 2
        return self.line_ms if self.start_ms + half_ms <= self.line_ms else self.line_ms + half_ms

    @property
    def seen_ms(self) -> int:
        """Everything before this time, and nothing from it on, decides about the stretch."""
        return self.plain_ms + self.grid_ms // 2 + _frames_ms(LEAD_OUT_FRAMES + 1, self.rate_hz) + TOLERANCE_MS

    def boundary(
        self, records: Iterable[MediaRecord], shared: Sequence[Video] = (), *, shows_shared: bool = True
    ) -> Boundary:
        """Where the stretch ends; `records` are those before `seen_ms`, in order of time, `shared` the pictures of
        shared screens among them, which the recording shows or does not."""
        content = [record for record in records if reaches(record, self.start_ms)]
        if content and not any(reaches(record, self.plain_ms) for record in content):
            return Boundary(min(max(map(end_of, content)), self.plain_ms), is_pause=True)
        screens = {id(video) for video in shared}
        covers = [video.timestamp_ms for video in shared if shows_shared]
        pictures = [record for record in content if isinstance(record, Video)]
        seen = (p for p in pictures if (shows_shared if id(p) in screens else not _is_covered(p.timestamp_ms, covers)))
        return Boundary(self._first_key(seen), is_pause=False)

    def _first_key(self, pictures: Iterable[Video]) -> int:
        half_ms = self.grid_ms // 2
        first_ms = max(self.line_ms, self.start_ms + half_ms)
        until_ms = min(self.line_ms + half_ms, self.start_ms + self.grid_ms + half_ms)
        for video in pictures:
            if first_ms <= video.timestamp_ms < until_ms:
                if video.codec in STILL_CODECS or access_unit(video.payload).is_idr:
                    return video.timestamp_ms
        return self.plain_ms


def _is_covered(time_ms: int, covers: Iterable[int]) -> bool:
    return any(0 <= time_ms - cover <= COVER_MS for cover in covers)


def end_of(record: MediaRecord) -> int:
    """Until when a record is seen or heard, in the absence of another."""
    if isinstance(record, Audio):
        return record.timestamp_ms + duration_ms(record)
    return record.timestamp_ms + HOLD_MS


def reaches(record: MediaRecord, time_ms: int) -> bool:
    """Whether a record has something to say at `time_ms` or later."""
    if record.timestamp_ms >= time_ms:
        return True
    return isinstance(record, Audio) and end_of(record) > time_ms


def origin_before(time_ms: int, rate_hz: int) -> int:
    """Where a recording begins whose first media is at `time_ms`: a whole silent audio frame earlier, because the
    first frame of a recording cannot be decoded fully."""
    frame = max(0, time_ms * rate_hz // 1000 // FRAME - 1)
    return frame * FRAME * 1000 // rate_hz


def audio_from(start_ms: int, rate_hz: int) -> int:
    """The earliest stamp of a chunk that can be heard in a stretch that begins at `start_ms`, or in its lead-in."""
    return start_ms - _frames_ms(LEAD_IN_FRAMES, rate_hz) - MAX_CHUNK_MS - TOLERANCE_MS


def _frames_ms(frames: int, rate_hz: int) -> int:
    return -(-frames * FRAME * 1000 // rate_hz)
