"""Up to when nobody remembers what a speaker has said, in the captions of one session. Pure."""

from collections.abc import Sequence
from typing import Self

from processors.checkpoint.folds import Json

MOST_SPEAKERS = 50
"""Speakers told apart; of the others, whose words were forgotten before, what is true of one of them is said of all."""


class Forgotten:
    """By speaker when the youngest of the captions began that are forgotten, those forgotten last at the end."""

    def __init__(self, speakers: Sequence[tuple[int, int]] = (), others_ms: int = -1) -> None:
        self._speakers = dict(speakers)
        self._others_ms = others_ms

    @classmethod
    def from_json(cls, value: Json) -> Self:
        others_ms, *speakers = value
        return cls([(participant_id, until_ms) for participant_id, until_ms in speakers], others_ms)

    def to_json(self) -> Json:
        return [self._others_ms, *map(list, self._speakers.items())]

    def add(self, participant_id: int, start_ms: int) -> None:
        """One that began then is remembered no more."""
        until_ms = max(start_ms, self._speakers.pop(participant_id, -1))
        self._speakers[participant_id] = until_ms
        while len(self._speakers) > MOST_SPEAKERS:
            self._others_ms = max(self._others_ms, self._speakers.pop(next(iter(self._speakers))))

    def may_have(self, participant_id: int, start_ms: int) -> bool:
        """Whether one that began then may have been there."""
        return start_ms <= max(self._others_ms, self._speakers.get(participant_id, -1))
