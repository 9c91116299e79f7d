"""Which side transcripts are to be made by this process: those that are unfinished in the partitions it holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from processors.shell import due
from schemas import async_transcriptions, tracks
from schemas.records import AppSession, AsyncTranscription
from schemas.session_states import Awaited, Progress

_RECORDING = f"{Awaited.RECORDING}: "
_CROWDED = _RECORDING + tracks.TOO_MANY
_SILENT = _RECORDING + tracks.NO_MEDIA


@dataclass(frozen=True, slots=True)
class Order:
    """One side transcript to be made of a session's sound; of that, `stored` counts the pieces by participant, and
    `is_short` says that some were missing from the first."""

    session_id: str
    project_id: str
    partition: int
    wanted: AsyncTranscription
    stored: Mapping[int, int] = field(default_factory=dict)
    is_short: bool = False

    @property
    def transcription_id(self) -> str:
        return self.wanted.transcription_id

    @property
    def rank(self) -> tuple[int, str]:
        """First who asked first."""
        return self.wanted.created_at_ms, self.transcription_id

    @property
    def is_begun(self) -> bool:
        """Whether somebody has begun, so that something of it may be written."""
        return self.wanted.state != Progress.NOT_STARTED

    def begun(self) -> "Order":
        """The same after a try that came to nothing."""
        return replace(self, wanted=replace(self.wanted, state=Progress.IN_PROGRESS))


class Due(due.Due[Order]):
    """The side transcripts that are unfinished."""

    def __init__(self) -> None:
        super().__init__(_orders)


def _orders(session: AppSession, partition: int) -> list[Order]:
    return [
        Order(session.session_id, session.project_id, partition, wanted, _stored(session), _is_short(session))
        for wanted in async_transcriptions.unfinished(session)
    ]


def _stored(session: AppSession) -> dict[int, int]:
    counts = {tracks.participant_of(track.track): track.count for track in session.tracks}
    return {number: count for number, count in counts.items() if number is not None}


def _is_short(session: AppSession) -> bool:
    reasons = [track.reason for track in session.tracks if tracks.participant_of(track.track) is not None]
    return tracks.SEGMENTS_MISSING in reasons or _CROWDED in session.failures or _was_given_up(session)


def _was_given_up(session: AppSession) -> bool:
    """Whether nobody has said what there should be, so that what is there may not be all."""
    if session.recording is not None or session.tracks:
        return False
    return any(
        failure.startswith(_RECORDING) and failure != _RECORDING + tracks.NO_MEDIA for failure in session.failures
    )
