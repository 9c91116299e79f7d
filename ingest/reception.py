"""What was received of each medium, and what is missing where a socket of this worker was lost and opened again. Pure.

This is for losses within one epoch, of which no processor can know; between two epochs the processors see both sides.
The rule is the same one: `schemas.seams`.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from schemas import seams
from schemas.records import Hole
from schemas.topics import AUDIO, MEDIA_TOPICS

EVERY_MEDIUM = tuple(topic.medium for topic in MEDIA_TOPICS)


@dataclass(slots=True)
class Reception:
    """By medium: `through_ms` is up to which Zoom time it was received, `_lost` when it was connected again (None: it
    is not yet), for those that have not said anything since their socket was lost; `_closed_ms` when Zoom closed it.

    `chunk_ms` is how much sound one audio frame holds, and `is_mixed` says that it is everybody's.
    """

    chunk_ms: int = 0
    is_mixed: bool = False
    through_ms: dict[str, int] = field(default_factory=dict)
    _lost: dict[str, int | None] = field(default_factory=dict)
    _closed_ms: dict[str, int | None] = field(default_factory=dict)
    _holes: list[Hole] = field(default_factory=list)
    _is_sound_whole: bool = False

    def frame(self, medium: str, at_ms: int) -> None:
        """A frame of this time arrived."""
        if medium in self._lost:
            self._resume(medium, at_ms)
        if at_ms > self.through_ms.get(medium, 0):
            self.through_ms[medium] = at_ms

    def tick(self, medium: str, through_ms: int) -> None:
        """Everything up to this time arrived."""
        if medium in self._lost:
            self._resume(medium, None)
        if through_ms > self.through_ms.get(medium, 0):
            self.through_ms[medium] = through_ms

    def has_socket(self, medium: str) -> bool:
        """Whether all that Zoom sends of it comes here."""
        return medium in self.through_ms and medium not in self._lost

    def lost(self, media: Iterable[str], *, closed_ms: int | None = None) -> None:
        """These have no socket any more. `closed_ms`: Zoom closed it then, so nothing that it sent was on its way."""
        if self.has_socket(AUDIO.medium):
            self._is_sound_whole = closed_ms is not None
        for medium in media:
            if self.has_socket(medium):
                self._closed_ms[medium] = closed_ms
            if medium in self.through_ms:
                self._lost[medium] = None

    def ready(self, now_ms: int, missing: Collection[str] = ()) -> None:
        """All that was lost but what is `missing` is connected again; the first time, what nobody could have heard
        before is not missing."""
        if not self.through_ms:
            self.through_ms = dict.fromkeys(EVERY_MEDIUM, now_ms)
        for medium, begun_ms in self._lost.items():
            if begun_ms is None and medium not in missing:
                self._lost[medium] = now_ms

    def over(self, now_ms: int) -> None:
        """The stream has ended: what was lost does not come back."""
        for medium, begun_ms in self._lost.items():
            closed_ms = self._closed_ms[medium]
            if begun_ms is None and closed_ms is not None and now_ms - closed_ms <= seams.ALL_BUT_OVER_MS:
                continue  # that is how Zoom ends a session, however late all of it is heard here
            hole = seams.unheard_end(medium, self._received_ms(medium), now_ms if begun_ms is None else begun_ms)
            if hole is not None:
                self._holes.append(hole)
        self._lost.clear()

    def take_holes(self) -> Iterator[Hole]:
        """What was found missing since the last call; each must be stated."""
        holes, self._holes = self._holes, []
        yield from holes

    def _resume(self, medium: str, frame_ms: int | None) -> None:
        begun_ms = self._lost[medium]
        if begun_ms is None:
            return  # still on its way when the socket was lost
        del self._lost[medium]
        first = None if frame_ms is None else seams.First(frame_ms, self._beside_ms(medium))
        hole = seams.hole(medium, self._received_ms(medium), begun_ms, first, handed_over=self._is_sound_whole)
        if hole is not None:
            self._holes.append(hole)

    def _received_ms(self, medium: str) -> int:
        return self.through_ms[medium] + (self.chunk_ms if medium == AUDIO.medium and self.is_mixed else 0)

    def _beside_ms(self, medium: str) -> int:
        return 0 if medium != AUDIO.medium or self.is_mixed else self.chunk_ms
