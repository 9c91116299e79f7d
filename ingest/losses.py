"""What was lost of one session and not stated yet: neighbouring frames are one hole. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from schemas.records import Hole

TOGETHER_MS = 250
"""What is lost of one track so close to another loss was lost with it: chunks jitter, and cameras skip a picture."""

MAX_HOLES = 1000
"""So many at a time; what is lost beyond that is a hole of the medium as a whole, from the first of it to the last."""


class Losses:
    """By medium, participant and cause; what takes long to be stated grows in length, hardly in number."""

    def __init__(self) -> None:
        self._holes: dict[tuple[str, int, str], list[Hole]] = {}
        self._count = 0

    def add(self, lost: Hole) -> None:
        """One more; its `to_ms` is the first moment that it does not cover."""
        is_full = self._count >= MAX_HOLES
        holes = self._holes.get(_key(lost), [])
        if is_full and not (holes and _are_close(holes[-1], lost)):
            lost = replace(lost, participant_id=0)
            holes = self._holes.get(_key(lost), [])
        if not holes or not (is_full or _are_close(holes[-1], lost)):
            self._holes.setdefault(_key(lost), []).append(lost)
            self._count += 1
            return
        last = holes[-1]
        if lost.from_ms < last.from_ms or lost.to_ms > last.to_ms:
            holes[-1] = replace(last, from_ms=min(last.from_ms, lost.from_ms), to_ms=max(last.to_ms, lost.to_ms))

    def take(self) -> Iterator[Hole]:
        """The holes since the last call; each must be stated."""
        taken, self._holes, self._count = self._holes, {}, 0
        for holes in taken.values():
            yield from holes


def _key(hole: Hole) -> tuple[str, int, str]:
    return hole.medium, hole.participant_id, hole.cause


def _are_close(one: Hole, other: Hole) -> bool:
    return one.from_ms - TOGETHER_MS <= other.to_ms and other.from_ms <= one.to_ms + TOGETHER_MS
