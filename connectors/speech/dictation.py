"""Dictation: a speech service hears one utterance while it is spoken. What it tells meanwhile, whoever it is. Pure.

It tells text of stretches of the sound, each again and again until it is final; when it has been told that nothing more
comes, it says how much it has heard and hangs up. Only then is its word for the whole of it worth anything.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connectors.speech.exchange import Failure, Heard, NoAnswer, Word, heard
from schemas.spacing import joined

TOLERANCE_S = 0.1
"""Services count in packets of their own."""

UNTOLD_S = 0.5
"""Of the end of the sound nothing need be told: it is a pause."""

MAX_STRETCHES = 1_000
"""An utterance is seconds long, and they are about a second apart."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How to begin, and in which language and with which model it will be heard."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    language: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What was said from `from_s` to `until_s` after the sound's beginning. Not `is_final`: may change."""

    text: str = field(repr=False)
    words: tuple[Word, ...] = field(repr=False)
    from_s: float
    until_s: float
    is_final: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """How much sound the service has heard so far, as it charges for it."""

    heard_s: float


class DictationService(Protocol):
    """One vendor's way to say these things."""

    @property
    def is_usable(self) -> bool:
        """Whether there is a key."""

    @property
    def farewell(self) -> str:
        """The message after the last of the sound."""

    def keyed(self, api_key: str) -> "DictationService":
        """The same service, asked with another key."""

    def opening(self, sample_rate_hz: int, options: Mapping[str, object]) -> Opening | Failure:
        """How to begin to tell it 16-bit mono sound; a Failure where it is known without asking that it cannot be."""

    def told(self, message: str | bytes) -> Said | Counted | None:
        """What a message says; None where it is nothing that matters. Raises NoAnswer."""


class Dictated:
    """What a service has told of one utterance so far."""

    def __init__(self, language: str | None = None, model: str | None = None) -> None:
        self._language, self._model = language, model
        self._final: list[Said] = []
        self._open: Said | None = None
        self._counted_s = 0.0

    @property
    def covered_s(self) -> float:
        """How much of the sound its words are of."""
        last = self._open or (self._final[-1] if self._final else None)
        return last.until_s if last else 0.0

    def hear(self, told: Said | Counted) -> None:
        """Take note of one message. Raises NoAnswer where there are more than anybody can need."""
        if isinstance(told, Counted):
            self._counted_s = told.heard_s
        elif told.is_final:
            self._final.append(told)
            self._open = None
            if len(self._final) > MAX_STRETCHES:
                raise NoAnswer("more stretches than an utterance can have")
        else:
            self._open = told

    def so_far(self) -> Heard:
        """What was said, as far as it is known. Raises NoAnswer where it is more than anybody can say."""
        stretches = [*self._final, *((self._open,) if self._open else ())]
        text = joined(one.text for one in stretches)
        return heard(text, [word for one in stretches for word in one.words], self._language, self._model)

    def whole(self, length_s: float, told_s: float) -> Heard | None:
        """What was said in the first `length_s` of the `told_s` that the service was told, now that it is done.

        None where it has not told all of it, or where its text cannot be cut there. Raises NoAnswer.
        """
        if not self._is_told_once(told_s, UNTOLD_S):
            return None
        said = self.so_far()
        return said if told_s <= length_s else _cut(said, length_s)

    def is_all(self, told_s: float) -> bool:
        """Whether nothing can be left to tell of `told_s`, so that nobody need wait until it hangs up."""
        return self._is_told_once(told_s, TOLERANCE_S)

    def _is_told_once(self, told_s: float, untold_s: float) -> bool:
        """Whether all was heard, and the final stretches follow one another up to the end, or to a pause that is left
        open."""
        if self._counted_s < told_s - TOLERANCE_S:
            return False
        at_s = 0.0
        for one in self._final:
            if abs(one.from_s - at_s) > TOLERANCE_S:
                return False
            at_s = one.until_s
        if self._open is not None:
            at_s = -math.inf if self._open.text else max(at_s, self._open.until_s)
        return at_s >= told_s - untold_s


def _cut(said: Heard, length_s: float) -> Heard | None:
    """Without the words that are not in the first `length_s`; None where the text is more than its words."""
    if _letters(word.text for word in said.words) != _letters([said.text]):
        return None
    words = tuple(word for word in said.words if (word.start_s + word.end_s) / 2 < length_s)
    return Heard(joined(word.text for word in words), words, said.language, said.model)


def _letters(texts: Iterable[str]) -> str:
    """Without the spaces, which a service may set otherwise than the script has them."""
    return "".join(letters for text in texts for letters in text.split())
