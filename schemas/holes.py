"""What a session's holes come to: kept without overlaps, and added up per medium. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from schemas.records import Hole
from schemas.topics import MEDIA_TOPICS

MAX_HOLES = 1000
"""Holes kept in a state; the facts have them all."""

MAX_CODE_CHARACTERS = 100
"""Of a hole's medium and cause; what says more is no hole of ours, and a thousand of them would fit into no record."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of a medium is missing; a hole may have no length and still be one."""

    missing_ms: int = 0
    holes: int = 0

    @property
    def is_complete(self) -> bool:
        return not self.holes


def kept(holes: tuple[Hole, ...], hole: Hole) -> tuple[Hole, ...]:
    """The holes that a state keeps, with this one as far as there is room."""
    if max(len(hole.medium), len(hole.cause)) > MAX_CODE_CHARACTERS:
        return holes
    with_this = with_hole(holes, hole)
    return holes if len(with_this) > MAX_HOLES else with_this


def with_hole(holes: tuple[Hole, ...], hole: Hole) -> tuple[Hole, ...]:
    """The holes and this one. What it touches of the same kind becomes one with it, so a repetition changes nothing."""
    touched = [other for other in holes if _touch(other, hole)]
    if any(other.from_ms <= hole.from_ms and hole.to_ms <= other.to_ms for other in touched):
        return holes
    if not touched:
        return (*holes, hole)
    from_ms = min(hole.from_ms, *(other.from_ms for other in touched))
    to_ms = max(hole.to_ms, *(other.to_ms for other in touched))
    return (*(other for other in holes if other not in touched), replace(hole, from_ms=from_ms, to_ms=to_ms))


def completeness(holes: Iterable[Hole]) -> Mapping[str, Completeness]:
    """Per medium, all six of them; and per topic, where retention took what was made of the media."""
    by_medium: dict[str, list[Hole]] = {topic.medium: [] for topic in MEDIA_TOPICS}
    for hole in holes:
        by_medium.setdefault(hole.medium, []).append(hole)
    return {medium: Completeness(_covered_ms(found), len(found)) for medium, found in by_medium.items()}


def _touch(one: Hole, other: Hole) -> bool:
    same = (one.medium, one.participant_id, one.cause) == (other.medium, other.participant_id, other.cause)
    return same and one.from_ms <= other.to_ms and other.from_ms <= one.to_ms


def _covered_ms(holes: Iterable[Hole]) -> int:
    """The length of all together; where two overlap, once."""
    covered, reached = 0, 0
    for hole in sorted(holes, key=lambda hole: hole.from_ms):
        covered += max(0, hole.to_ms - max(hole.from_ms, reached))
        reached = max(reached, hole.to_ms)
    return covered
