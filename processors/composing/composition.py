"""Draws one recording anew, of what is stored of it: the segments that its view changes. Pure but for what it fetches.

A drawn segment has the bounds and the sound of the recording's own, and an encoder of its own: so whoever makes it, and
whoever makes it again, makes the same bytes, and the file that is made of both is as long and in step.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge

import av

from processors.composing import pieces
from processors.composing.drawing import Canvas
from processors.composing.due import Order
from processors.composing.films import Film, Picture
from processors.composing.pieces import Piece
from processors.composing.runs import Run, runs, within
from processors.muxing.audio import FRAME
from processors.muxing.encoding import Encoder, sample
from processors.muxing.fragments import fragment, header
from processors.muxing.h264 import Nal, kind
from processors.muxing.pictures import ShownPicture
from schemas import ids
from schemas.object_names import StoredSegment
from schemas.records import OutputKind, Segment, TrackCount
from schemas.tracks import COMPOSED

ENGINE = "composing"
FPS, KBIT_PER_S = 25, 6000
_REMEMBERED = 4

Change = tuple[int, Picture | None, Picture | None]
"""From a time on: what the speaker's camera shows, what the screen does; None: as before."""

Fetch = Callable[[StoredSegment], tuple[bytes, bytes]]
"""A segment's header and its media."""


@dataclass(frozen=True, slots=True)
class Material:
    """What there is: the segments of the recording and of its film, and how to get one."""

    recording: Sequence[StoredSegment]
    film: Sequence[StoredSegment]
    fetch: Fetch


class Composition:
    """Of one order; `segments` is to be read once."""

    def __init__(self, order: Order, material: Material) -> None:
        self._order, self._material = order, material
        self._canvas = Canvas(order.size, order.view)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._piece)
        self._screen: av.VideoFrame | None = None
        self._speaker: av.VideoFrame | None = None
        self.count = 0

    def segments(self, written: Callable[[StoredSegment], bool]) -> Iterator[Segment | None]:
        """All that are drawn, in order; None, after as much time as it takes to see what follows, for those that are
        `written`. Raises pieces.Unreadable and what fetching does."""
        recording = self._material.recording
        for run in runs(recording, self._material.film, lambda at: self._remembered(recording[at]).is_independent):
            for segment in self._run(run, written):
                self.count += 1
                yield segment

    def end(self) -> Segment:
        """The last word about what was drawn."""
        order, recording = self._order, self._order.recording
        return Segment(
            session_id=order.session_id,
            kind=OutputKind.TRACK_END,
            segment_id=ids.window_id(ids.SEGMENT_PREFIX, order.session_id, "end", ENGINE, COMPOSED, 0),
            origin_ms=recording.start_ms,
            start_ms=recording.start_ms,
            duration_ms=recording.duration_ms,
            count=recording.count,
            tracks=(TrackCount(track=COMPOSED, count=self.count),),
        )

    def _run(self, run: Run, written: Callable[[StoredSegment], bool]) -> Iterator[Segment | None]:
        recording = self._material.recording
        drawn = recording[run.first : run.last + 1]
        film = within(self._material.film, drawn[0].start_ms, drawn[-1].end_ms)
        speakers = Film(self._remembered(segment) for segment in recording[run.lead : run.last + 1])
        screens = Film(self._piece(segment) for segment in film)
        self._screen = self._speaker = None
        for picture in speakers.before(drawn[0].start_ms):
            self._speaker = picture.frame
        for segment in drawn:
            is_shared = bool(within(film, segment.start_ms, segment.end_ms))
            changes = _changes(segment, speakers, screens)
            if written(segment):
                for _, speaker, screen in changes:
                    self._look(speaker, screen, is_shared=is_shared)
                yield None
            else:
                pictures = self._pictures(changes, is_shared=is_shared)
                yield self._segment(self._remembered(segment), pictures)

    def _pictures(self, changes: Iterator[Change], *, is_shared: bool) -> Iterator[tuple[int, av.VideoFrame]]:
        for time_ms, speaker, screen in changes:
            self._look(speaker, screen, is_shared=is_shared)
            yield time_ms, self._canvas.drawn(self._screen, self._speaker)

    def _look(self, speaker: Picture | None, screen: Picture | None, *, is_shared: bool) -> None:
        """Take note of what is there to be seen now."""
        if speaker is not None:
            self._speaker = speaker.frame
        if screen is not None:
            self._screen = screen.frame
        if not is_shared:
            self._screen = None

    def _segment(self, piece: Piece, drawn: Iterator[tuple[int, av.VideoFrame]]) -> Segment:
        order, segment = self._order, piece.segment
        encoder, origin_ms = Encoder(order.size, FPS, KBIT_PER_S), order.recording.start_ms
        pictures, parameters = list[ShownPicture](), tuple[bytes, ...]()
        for time_ms, frame in drawn:
            unit = encoder.encode(frame, time_ms - origin_ms)
            parameters = parameters or tuple(nal for nal in unit.nals if kind(nal) in (Nal.SPS, Nal.PPS))
            pictures.append(ShownPicture(time_ms, time_ms, unit.is_idr, sample(unit)))
        number = segment.start_ms - origin_ms + 1
        return Segment(
            session_id=order.session_id,
            kind=OutputKind.TRACK,
            segment_id=ids.window_id(
                ids.SEGMENT_PREFIX, order.session_id, "segment", ENGINE, COMPOSED, segment.start_ms
            ),
            origin_ms=origin_ms,
            start_ms=segment.start_ms,
            duration_ms=segment.duration_ms,
            independent=True,
            pictures=len(pictures),
            audio_samples=len(piece.sound.packets) * FRAME,
            init=header(parameters, order.size, piece.rate_hz),
            payload=fragment(number, pictures, piece.sound, origin_ms, segment.end_ms),
            track=COMPOSED,
        )

    def _piece(self, segment: StoredSegment) -> Piece:
        return pieces.piece(segment, *self._material.fetch(segment), self._order.recording.start_ms)


def _changes(segment: StoredSegment, speakers: Film, screens: Film) -> Iterator[Change]:
    """When something changes in a segment, and to what; its beginning is one such time whatever comes then.

    One after the other: decoded pictures of some seconds would fill the memory.
    """
    change: Change = segment.start_ms, None, None
    shown = (((p, None) for p in speakers.before(segment.end_ms)), ((None, p) for p in screens.before(segment.end_ms)))
    for speaker, screen in merge(*shown, key=_time_ms):
        time_ms = max(_time_ms((speaker, screen)), segment.start_ms)
        if time_ms > change[0]:
            yield change
            change = time_ms, None, None
        change = time_ms, speaker or change[1], screen or change[2]
    yield change


def _time_ms(shown: tuple[Picture | None, Picture | None]) -> int:
    return next(picture.time_ms for picture in shown if picture is not None)
