"""Which recordings are to be drawn by this process. Pure."""

from dataclasses import dataclass, field

from processors.muxing.h264 import Size
from processors.muxing.recordings import Frame
from schemas import recordings, tracks
from schemas.records import AppSession, Stored
from schemas.settings import RecordingView, readable


@dataclass(frozen=True, slots=True)
class Order:
    """A recording that is stored, to be drawn on a canvas of `size`; `film_count` says how many segments the film of
    the shared screens has, `is_awaited` whether the session's end waits for it: that makes it no other order."""

    session_id: str
    project_id: str
    partition: int
    created_at_ms: int
    recording: Stored
    film_count: int
    view: RecordingView
    size: Size
    is_awaited: bool = field(default=True, compare=False)

    @property
    def rank(self) -> tuple[bool, int, str]:
        """First what somebody waits for, then whose session is older: what is late makes nobody else late, and what
        no process survives holds up the others no longer than a session waits. Projects take turns (`turns`)."""
        return not self.is_awaited, self.created_at_ms, self.session_id


def orders_of(session: AppSession, partition: int) -> list[Order]:
    """What a session's state asks for, if anything."""
    if session.recording is None or not recordings.is_to_be_composed(session):
        return []
    settings, frame = readable(session.settings), Frame.from_begin(session.settings)
    count = sum(track.count for track in session.tracks if track.track == tracks.SHARE)
    size = Size(frame.width & ~1, frame.height & ~1)
    made = Order(
        session_id=session.session_id,
        project_id=session.project_id,
        partition=partition,
        created_at_ms=session.created_at_ms,
        recording=session.recording,
        film_count=count,
        view=settings.recording_view,
        size=size,
        is_awaited=session.awaits_composing,
    )
    return [made]
