"""What any speech recogniser gives us, whoever made it."""

from dataclasses import dataclass
from typing import Protocol


class RecogniserMissing(RuntimeError):
    """This installation has no recogniser; the message says how to get it."""


class RecognitionFailed(RuntimeError):
    """The recogniser refused this audio."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an utterance; times count from the utterance's first sample."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word of an utterance; times count from the utterance's first sample."""

    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Recognised:
    """What was said; no segments when nothing was. `words`, `language` and `model` where the recogniser says them."""

    segments: tuple[Segment, ...]
    words: tuple[Word, ...] = ()
    language: str | None = None
    model: str | None = None

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments if segment.text)


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """Given up; `reason` holds nothing of what was said. `is_final`: to ask the same recogniser again is useless."""

    reason: str
    is_final: bool = False


Recognition = Recognised | Unrecognised


class Recogniser(Protocol):
    """One utterance in, its text out: the same for the same audio, whatever came before."""

    def recognise(self, pcm: bytes, sample_rate_hz: int) -> Recognised:
        """`pcm` is little endian 16-bit mono.

        Raises:
            RecognitionFailed: and would for this audio every time.
        """
