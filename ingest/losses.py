"""What was lost of one session and not stated yet: neighbouring frames are one hole. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from schemas.records import Hole

TOGETHER_MS = 250
"""What is lost of one track so close to another loss was lost with it: chunks jitter, and cameras skip a picture."""


class Losses:
    """By medium, participant and cause; what takes long to be stated grows in length, hardly in number."""

    def __init__(self) -> None:
        self._holes: dict[tuple[str, int, str], list[Hole]] = {}

    def add(self, lost: Hole) -> None:
        """One more; its `to_ms` is the first moment that it does not cover."""
        holes = self._holes.setdefault((lost.medium, lost.participant_id, lost.cause), [])
        if not holes or not _are_close(holes[-1], lost):
            holes.append(lost)
            return
        last = holes[-1]
        if lost.from_ms < last.from_ms or lost.to_ms > last.to_ms:
            holes[-1] = replace(last, from_ms=min(last.from_ms, lost.from_ms), to_ms=max(last.to_ms, lost.to_ms))

    def take(self) -> Iterator[Hole]:
        """The holes since the last call; each must be stated."""
        taken, self._holes = self._holes, {}
        for holes in taken.values():
            yield from holes


def _are_close(one: Hole, other: Hole) -> bool:
    return one.from_ms - TOGETHER_MS <= other.to_ms and other.from_ms <= one.to_ms + TOGETHER_MS
