"""Which recordings are to be drawn by this process. Pure."""

from dataclasses import dataclass

from processors.muxing.h264 import Size
from processors.muxing.recordings import Frame
from schemas import recordings, tracks
from schemas.records import AppSession, Stored
from schemas.settings import RecordingView, readable


@dataclass(frozen=True, slots=True)
class Order:
    """A recording that is stored, to be drawn on a canvas of `size`; `film_count` says how many segments the film of
    the shared screens has."""

    session_id: str
    partition: int
    created_at_ms: int
    recording: Stored
    film_count: int
    view: RecordingView
    size: Size

    @property
    def rank(self) -> tuple[int, str]:
        """First whose session is older."""
        return self.created_at_ms, self.session_id


def orders_of(session: AppSession, partition: int) -> list[Order]:
    """What a session's state asks for, if anything."""
    if session.recording is None or not recordings.is_to_be_composed(session):
        return []
    settings, frame = readable(session.settings), Frame.from_begin(session.settings)
    count = sum(track.count for track in session.tracks if track.track == tracks.SHARE)
    size = Size(frame.width & ~1, frame.height & ~1)
    made = Order(
        session.session_id, partition, session.created_at_ms, session.recording, count, settings.recording_view, size
    )
    return [made]
