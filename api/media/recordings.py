"""What is stored of a session's recording and can be played by now.

A line of a playlist once said is never taken back: players rely on it. So a recording that grows ends before a segment
that is still on its way to the store, and passes over one only when a minute of what follows is there: that was lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from api.services import Services
from schemas import settings as session_settings
from schemas.object_names import StoredSegment, segments_prefix, stored_segments
from schemas.records import AppSession, Pause
from schemas.sessions import TERMINAL, Progress
from schemas.settings import SessionSettings

GAP_PATIENCE_MS = 60_000
FEWEST = 3
"""A browser gives up on a growing playlist that is shorter when it is opened."""

_OVER = frozenset({Progress.COMPLETE, Progress.FAILED})


@dataclass(frozen=True, slots=True)
class Recording:
    """The segments that can be announced; `bits_per_s` is the most that any of them needs. `pauses` in their order."""

    session_id: str
    settings: SessionSettings
    segments: Sequence[StoredSegment]
    bits_per_s: int
    is_over: bool
    pauses: Sequence[Pause] = ()

    @classmethod
    def of(cls, services: Services, session_id: str, session: AppSession | None) -> Self:
        """As of now. Blocks; raises ObjectsError."""
        is_over = session is None or _is_over(session)
        is_deleted = session is not None and session.deletion is not None
        listing = [] if is_deleted else services.objects.list(segments_prefix(session_id))
        sizes = {item.key: item.size_bytes for item in listing}
        segments = playable(stored_segments((item.key, item.modified_ms) for item in listing), is_over=is_over)
        rates = [sizes[segment.key] * 8000 // max(segment.duration_ms, 1) for segment in segments]
        settings = session_settings.readable(session.settings if session else "")
        return cls(session_id, settings, segments, max(rates, default=0), is_over, session.pauses if session else ())


def playable(stored: Sequence[StoredSegment], *, is_over: bool) -> Sequence[StoredSegment]:
    """All segments of a recording that is over, else those before the first open gap; none while they are too few."""
    segments = stored if is_over else _before_the_gap(stored)
    return segments if is_over or len(segments) >= FEWEST else ()


def _before_the_gap(stored: Sequence[StoredSegment]) -> Sequence[StoredSegment]:
    for index, (one, following) in enumerate(pairwise(stored), 1):
        is_open = stored[-1].end_ms - following.start_ms < GAP_PATIENCE_MS
        if one.end_ms != following.start_ms and is_open:
            return stored[:index]
    return stored


def _is_over(session: AppSession) -> bool:
    """Whether no segment will come any more."""
    return session.recording_state in _OVER or session.state in TERMINAL
