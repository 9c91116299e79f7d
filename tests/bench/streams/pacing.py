"""When which session's next frame is due: the load of many meetings, spread evenly. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm
from typing import NamedTuple

from tests.bench.streams import messages
from tests.bench.streams.messages import Stamped

SPEAKERS = 3
"""How many separate audio streams Zoom sends at most, whatever the number of participants."""

PICTURES_PER_S = 25
_PICTURE_MS = 1000 // PICTURES_PER_S


class Due(NamedTuple):
    """`session` and `track` count from 0; the last track is the pictures."""

    at_ms: float
    session: int
    track: int


@dataclass(frozen=True, slots=True)
class Load:
    """`sessions` meetings with three speakers, in chunks of `send_rate_ms`, and a camera."""

    sessions: int
    send_rate_ms: int

    @property
    def frames_per_s(self) -> float:
        """Of all sessions together."""
        return self.sessions * (SPEAKERS * 1000 / self.send_rate_ms + PICTURES_PER_S)

    def round(self) -> tuple[int, list[Due]]:
        """How long one round is, in ms, and what is due in it, in order; the next round is the same.

        No two frames of one session are due together, so each is a wake-up of its own.
        """
        period = lcm(_PICTURE_MS, self.send_rate_ms)
        return period, sorted(due for session in range(self.sessions) for due in self._of(session, period))

    def _of(self, session: int, period: int) -> Iterator[Due]:
        phase = session * period / self.sessions
        step = min(self.send_rate_ms, _PICTURE_MS) / (SPEAKERS + 1)
        for track in range(SPEAKERS + 1):
            interval, place = (self.send_rate_ms, track) if track < SPEAKERS else (_PICTURE_MS, track + 0.5)
            offset = phase + place * step
            for number in range(period // interval):
                yield Due((offset + number * interval) % period, session, track)

    def track(self, track: int) -> list[Stamped]:
        """The messages that this track of every session sends, in turn."""
        if track == SPEAKERS:
            return messages.pictures(track + 1, messages.PICTURE)
        return [messages.audio(track + 1, messages.AUDIO_20_MS * self.send_rate_ms // 20)]
