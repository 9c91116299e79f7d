"""A long meeting as it is seen and heard in the finished file: how far each beep is from its flash."""

from dataclasses import dataclass
from pathlib import Path

from sinks.objects.movies import write_movie
from tests.support.long_meeting import RATE_HZ, LongMeeting
from tests.support.media import wrapped
from tests.support.muxed import Decoded, decoded, muxed

MOST_MS = 5.0
REACH_S = 0.3
"""A beep is looked for this near to its flash."""


@dataclass(frozen=True)
class Watched:
    """`offsets_ms`: by how much each beep sets in after its flash; those without one beep near them have none."""

    origin_ms: int
    decoded: Decoded
    offsets_ms: tuple[float, ...]


def watched(session_id: str, meeting: LongMeeting, movie: Path) -> Watched:
    """Mux it, write the finished file to `movie`, and decode that."""
    parts = muxed(wrapped(session_id, meeting.audio), wrapped(session_id, meeting.video), session_id)[:-1]
    write_movie([parts[0].init, *(part.payload for part in parts)], movie)
    result = decoded(movie)
    offsets = [offset for flash in result.flashes() for offset in _offsets_ms(result, flash)]
    return Watched(parts[0].origin_ms, result, tuple(offsets))


def _offsets_ms(result: Decoded, flash_s: float) -> list[float]:
    first = max(0, int((flash_s - REACH_S - result.audio_start) * RATE_HZ))
    piece = result.audio[first : first + int(2 * REACH_S * RATE_HZ)]
    beeps = Decoded(audio=piece, audio_start=first / RATE_HZ + result.audio_start).beeps(RATE_HZ)
    return [(beep - flash_s) * 1000 for beep in beeps] if len(beeps) == 1 else []
