"""Meetings whose recording is drawn anew, by the real code, of what the real muxing has made of real pictures."""

import io
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import av
import numpy as np
import numpy.typing as npt

from processors.composing.composition import Composition, Material
from processors.composing.due import Order
from processors.muxing.h264 import Size
from schemas import object_names, tracks
from schemas.object_names import StoredSegment
from schemas.records import OutputKind, Segment, Stored
from schemas.settings import RecordingView, SessionSettings
from tests.support.media import Shot, Talk, audio_records, video_records, wrapped
from tests.support.muxed import SESSION, items_of, joined, muxed

CANVAS = Size(320, 180)

Picture = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Meeting:
    """What was recorded of it, by whose view."""

    parts: Sequence[Segment]
    settings: SessionSettings
    session_id: str = SESSION

    @property
    def end(self) -> Segment:
        return self.parts[-1]

    @property
    def order(self) -> Order:
        end, count = self.end, {track.track: track.count for track in self.end.tracks}
        recording = Stored(key="k", start_ms=end.start_ms, duration_ms=end.duration_ms, count=end.count)
        size = Size(self.settings.video_width, self.settings.video_height)
        shown = count.get(tracks.SHARE, 0), self.settings.recording_view
        return Order(self.session_id, "p", 3, 1, recording, *shown, size)

    def objects(self) -> dict[str, bytes]:
        """What the objects sink has stored by then, by key."""
        pieces = [part for part in self.parts if part.kind in (OutputKind.ITEM, OutputKind.TRACK)]
        inits = {object_names.header_name(part.init): part.init for part in pieces}
        headers = {object_names.header_key(self.session_id, name): init for name, init in inits.items()}
        return headers | {object_names.segment_key(part): part.payload for part in pieces}

    def listed(self, track: str) -> list[StoredSegment]:
        return object_names.stored_segments((object_names.segment_key(part), 0) for part in items_of(self.parts, track))

    def composition(self) -> Composition:
        objects = self.objects()

        def fetch(segment: StoredSegment) -> tuple[bytes, bytes]:
            return objects[object_names.header_key(self.session_id, segment.header)], objects[segment.key]

        return Composition(self.order, Material(self.listed(tracks.RECORDING), self.listed(tracks.SHARE), fetch))

    def drawn(self) -> list[Segment]:
        return [segment for segment in self.composition().segments(lambda _: False) if segment is not None]

    def closed(self) -> list[Segment]:
        """What is drawn, and the last word about it."""
        composition = self.composition()
        return [*(segment for segment in composition.segments(lambda _: False) if segment), composition.end()]

    def whole(self, drawn: Sequence[Segment]) -> bytes:
        """The file that the sink makes of both."""
        by_start = {part.start_ms: part for part in items_of(self.parts)} | {part.start_ms: part for part in drawn}
        pieces = [replace(by_start[start], kind=OutputKind.ITEM, track=tracks.RECORDING) for start in sorted(by_start)]
        return joined(pieces)


def meeting(
    view: RecordingView, talks: Sequence[Talk], cameras: Sequence[Shot], screens: Sequence[Shot], canvas: Size = CANVAS
) -> Meeting:
    """As it is muxed when the session asks for a view."""
    settings = SessionSettings(recording_view=view, video_width=canvas.width, video_height=canvas.height)
    audio, video, share = (
        wrapped(SESSION, records, settings=settings)
        for records in (audio_records(SESSION, talks), video_records(SESSION, cameras), video_records(SESSION, screens))
    )
    return Meeting(muxed(audio, video, share=share), settings)


def pictured_at(film: bytes, time_s: float) -> Picture:
    """How bright the picture is that is shown at a time, point by point."""
    with av.open(io.BytesIO(film)) as source:
        (shown,) = deque(takewhile(lambda frame: (frame.time or 0) <= time_s, source.decode(video=0)), 1)
        return np.asarray(shown.to_ndarray(format="gray"), np.float64)


def likeness(one: Picture, other: Picture) -> float:
    """How far two pictures of any size agree: 1 wholly, 0 as white and black do. Both may be all of one colour."""
    small = [av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="gray") for picture in (one, other)]
    first, second = (frame.reformat(64, 36, "gray").to_ndarray().astype(np.float64) for frame in small)
    return float(1 - np.abs(first - second).mean() / 255)
