"""When somebody paused a session's stream, as intervals of Zoom's clock. Pure."""

from dataclasses import replace

from schemas.records import Pause

MAX_PAUSES = 1000
"""Kept in a state; whoever pauses more often than that is not told of it here any more."""


def paused(pauses: tuple[Pause, ...], at_ms: int) -> tuple[Pause, ...]:
    """With the pause that began then; what is known already, or was overtaken, changes nothing."""
    if pauses and at_ms <= _last_ms(pauses):
        return pauses
    if (pauses and pauses[-1].to_ms is None) or len(pauses) >= MAX_PAUSES:
        return pauses
    return (*pauses, Pause(from_ms=at_ms))


def resumed(pauses: tuple[Pause, ...], at_ms: int) -> tuple[Pause, ...]:
    """With the pause that lasts ended then; where none lasts, nothing changes."""
    if not pauses or pauses[-1].to_ms is not None:
        return pauses
    return (*pauses[:-1], replace(pauses[-1], to_ms=max(at_ms, pauses[-1].from_ms)))


def _last_ms(pauses: tuple[Pause, ...]) -> int:
    last = pauses[-1]
    return last.from_ms if last.to_ms is None else last.to_ms
