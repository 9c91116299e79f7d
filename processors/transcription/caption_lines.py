"""The captions of an utterance: pieces, the line that they make, and how that is written. Pure."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from processors.checkpoint.folds import MAX_OFF_MS, Json
from schemas.records import Caption, RecordKind
from schemas.spacing import joined

GAP_MS = 1_000
"""Somebody who goes on within this time, by Zoom's clock, goes on with the same utterance."""

MOST_MS = 20_000
MOST_CHARACTERS = 2_000
"""What is longer is not merged further: a monologue is told in pieces."""

LONG_CHARACTERS = 200
"""A caption longer than this takes the place of several where captions are remembered."""

MOST_EARLY_MS = 60_000
LONGEST_MS = 3_600_000
"""No words begin this much later than they were sent, and none last for longer: such times are none."""

MAX_NAME_CHARACTERS = 128


class Piece(NamedTuple):
    """One caption of a line, at Zoom's times. `said` is what it says where captions are merged, else a digest."""

    start_ms: int
    end_ms: int
    stamp_ms: int
    said: str

    def is_same(self, other: "Piece") -> bool:
        """Whether it says the same of the same time."""
        return (self.start_ms, self.end_ms, self.said) == (other.start_ms, other.end_ms, other.said)

    def is_meant(self, start_ms: int, end_ms: int, stamp_ms: int) -> int:
        """How well a correction with these times fits: 0 not at all."""
        if start_ms == self.start_ms:
            return 3
        if stamp_ms == self.stamp_ms:
            return 2
        return 1 if start_ms < self.end_ms and self.start_ms < end_ms else 0


class Line(NamedTuple):
    """An utterance. `revision` is 0 until it is told, once the topic's time is `due_ms`.

    `ordinal` tells it from others that the same speaker began at the same time.
    """

    participant_id: int
    participant_name: str | None
    language: int | None
    start_ms: int
    ordinal: int
    revision: int
    withdraws: bool
    due_ms: int
    pieces: list[list[Any]]

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(*value[: len(cls._fields)])  # a newer release may have known more

    @property
    def is_told(self) -> bool:
        return self.revision > 0

    @property
    def weight(self) -> int:
        """For how many captions it counts where they are remembered."""
        return max(1, sum(1 + len(Piece(*piece).said) // LONG_CHARACTERS for piece in self.pieces))

    @property
    def end_ms(self) -> int:
        return max((Piece(*piece).end_ms for piece in self.pieces), default=self.start_ms)

    @property
    def text(self) -> str:
        return joined(Piece(*piece).said for piece in self.pieces)

    def is_joined_by(self, piece: Piece) -> bool:
        """Whether a caption of the same speaker and language goes on with it."""
        return (
            Piece(*self.pieces[-1]).start_ms <= piece.start_ms <= self.end_ms + GAP_MS
            and piece.end_ms - self.start_ms <= MOST_MS
            and len(self.text) + len(piece.said) < MOST_CHARACTERS
        )

    @property
    def is_long(self) -> bool:
        """Whether nothing is merged with it any more, whatever comes."""
        return self.end_ms - self.start_ms >= MOST_MS or len(self.text) >= MOST_CHARACTERS


@dataclass(frozen=True, slots=True)
class CaptionWork:
    """An utterance of Zoom's as it is by now: `caption` has its times and words, whatever it was made of."""

    caption: Caption = field(repr=False)
    ordinal: int = 0
    revision: int = 1
    withdraws: bool = False


@dataclass(frozen=True, slots=True)
class Unmet:
    """A correction of something that nobody knows; `outcome` says what became of it. Only counted."""

    outcome: str


def start_of(caption: Caption) -> int:
    """When its words began; without a start of its own, or with one that cannot be, when it was sent."""
    start_ms, sent_ms = caption.start_ms, caption.timestamp_ms
    return start_ms if start_ms > 0 and -MAX_OFF_MS <= start_ms - sent_ms <= MOST_EARLY_MS else sent_ms


def end_of(caption: Caption) -> int:
    """When its words were over; without an end that can be, when they began."""
    start_ms = start_of(caption)
    return caption.end_ms if start_ms <= caption.end_ms <= start_ms + LONGEST_MS else start_ms


def name_of(caption: Caption) -> str | None:
    name = caption.participant_name
    return None if name is None else name[:MAX_NAME_CHARACTERS]


def written(session_id: str, line: Line, text: str) -> CaptionWork:
    caption = Caption(
        session_id=session_id,
        kind=RecordKind.FRAME,
        participant_id=line.participant_id,
        participant_name=line.participant_name,
        epoch=0,
        sequence=0,
        timestamp_ms=line.start_ms,
        arrived_us=0,
        start_ms=line.start_ms,
        end_ms=line.end_ms,
        language=line.language,
        text=text,
    )
    return CaptionWork(caption, line.ordinal, line.revision, line.withdraws)
