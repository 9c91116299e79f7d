"""Reads the dead letters that are still kept. A letter is known by its number, which is its offset on its topic."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import TimedOut
from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.reader import PartitionLoader, Reader
from connectors.kafka.records import Place, Record
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Undecodable
from schemas.records import DeadLetter
from schemas.topics import DEAD_LETTERS

PLACE = Place(DEAD_LETTERS.name, 0)

ANSWER_S = 10.0
"""For the broker to say where the letters end; without it there is no use in waiting on."""

READ_S = 3600.0
_ONE_S = 30.0


class InputPlace(NamedTuple):
    """Where the input of a letter was."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Letter(NamedTuple):
    """A letter, when it was written (ms) and its number."""

    number: int
    written_ms: int
    content: DeadLetter

    @property
    def place(self) -> InputPlace:
        """Where its input was."""
        return InputPlace(self.content.topic, self.content.partition, self.content.offset)

    @property
    def input(self) -> tuple[InputPlace, str]:
        """Which input it was: in a topic that was deleted and made anew another one stands at the same place."""
        return self.place, self.content.sha256

    @property
    def is_note(self) -> bool:
        """Whether it only says that another one was put back."""
        return self.content.re_driven_to is not None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant: all that agree with what is given. `reason` may be a part of the reason."""

    topic: str | None = None
    session_id: str | None = None
    reason: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is given."""
        return self == Filter()

    def passes(self, letter: DeadLetter) -> bool:
        """Whether the letter is one of them."""
        return (
            self.topic in (None, letter.topic)
            and self.session_id in (None, letter.session_id)
            and (self.reason or "").lower() in letter.reason.lower()
        )


class LetterBox:
    """All letters, one after the other: they may be many, and none is kept in memory here."""

    def __init__(self, settings: KafkaSettings, decoder: Decoder) -> None:
        self._settings = settings
        self._decoder = decoder
        self._offsets = OffsetDirectory(settings)
        self.unreadable = 0
        """Records met on the topic that are no letters."""

    def letters(self) -> Iterator[Letter]:
        """Every letter that was there at the first step, oldest first. Raises KafkaError."""
        return (letter for letter in self.everything() if not letter.is_note)

    def notes(self) -> Iterator[Letter]:
        """Every note of an input that was put back."""
        return (letter for letter in self.everything() if letter.is_note)

    def everything(self) -> Iterator[Letter]:
        """Letters and notes, as they stand on the topic."""
        self._ends()
        loader = PartitionLoader(self._settings, "letters")
        try:
            for record in loader.load([PLACE], READ_S):
                letter = self._letter(record)
                if letter is not None:
                    yield letter
        finally:
            loader.close()

    def letter(self, number: int) -> Letter | None:
        """The letter of that number; None where there is none. Raises KafkaError."""
        first = self._offsets.starts([PLACE], ANSWER_S)[PLACE]
        if not first <= number < self._ends():
            return None
        reader = Reader(self._settings, "letter")
        try:
            reader.assign({PLACE: number})
            for _ in range(round(_ONE_S / 0.1)):
                for record in reader.consume(1):
                    return self._letter(record) if record.offset == number else None
                if reader.position(PLACE) > number:
                    return None
        finally:
            reader.close()
        raise TimedOut("the letter could not be read in time")

    def _ends(self) -> int:
        return self._offsets.ends([PLACE], ANSWER_S)[PLACE]

    def _letter(self, record: Record) -> Letter | None:
        try:
            content = self._decoder.decode(DEAD_LETTERS, record.value or b"")
        except Undecodable:
            content = None
        if not isinstance(content, DeadLetter):
            self.unreadable += 1
            return None
        return Letter(record.offset, record.timestamp_ms, content)
