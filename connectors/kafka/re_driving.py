"""Puts the inputs of dead letters back where they came from, each once.

That an input was put back is noted on the letters' own topic, behind the letter: the note is there for as long as the
letter is, every reader of the topic sees it, and no header has to travel with media. The input is acknowledged before
its note is written. Killed in between, the next run puts that one input back again, and readers know it by its ids as
they know any record that comes twice; the other order could lose it.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from connectors.kafka.dead_letters import encoded
from connectors.kafka.letter_box import Letter, LetterBox
from connectors.kafka.producer import Producer, Profile
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec
from schemas.topics import BY_NAME, DEAD_LETTERS, Cleanup

RE_DRIVE = Profile("re-drive", linger_ms=0)

Wanted = Callable[[Letter], bool]


class Outcome(StrEnum):
    """What became of a letter."""

    DONE = "put back"
    WOULD = "would be put back"
    BEFORE = "put back before"
    REFUSED = "refused"


class Result(NamedTuple):
    """A letter's outcome; `detail` is the reason of a refusal, or the offset where the input stands now."""

    letter: Letter
    outcome: Outcome
    detail: str = ""


def refusal(letter: Letter, settings: KafkaSettings) -> str | None:
    """Why a letter's input can never be put back; None when it can. Pure."""
    content = letter.content
    topic = BY_NAME.get(content.topic)
    if topic is None:
        return f"came from {content.topic}, which is no topic of ours: there is nowhere to put it back"
    if topic.cleanup is Cleanup.COMPACT:
        return f"{topic.name} holds the newest word on each key, and this one may be an old one"
    if content.partition >= settings.partition_count(topic):
        return f"{topic.name} has no partition {content.partition} any more"
    if content.length != len(content.data):
        return f"only the first {len(content.data)} of its {content.length} bytes were kept"
    return None if content.length else "was empty: there is nothing to put back"


class ReDriving:
    """One run. `producer` is made with the profile `RE_DRIVE`; None: nothing is written."""

    def __init__(self, settings: KafkaSettings, box: LetterBox, codec: Codec, producer: Producer | None) -> None:
        self._settings = settings
        self._box = box
        self._codec = codec
        self._producer = producer

    def run(self, wanted: Wanted) -> Iterator[Result]:
        """What becomes of each wanted letter, in the order of the letters. Raises KafkaError.

        Two letters about one input (two services had refused it) are one input: it is put back once.
        """
        done = {letter.input: f"at offset {letter.content.re_driven_to}" for letter in self._box.notes()}
        for letter in self._box.letters():
            if not wanted(letter):
                continue
            reason = refusal(letter, self._settings)
            if reason is not None:
                yield Result(letter, Outcome.REFUSED, reason)
            elif letter.input in done:
                yield Result(letter, Outcome.BEFORE, done[letter.input])
            elif self._producer is None:
                done[letter.input] = ""
                yield Result(letter, Outcome.WOULD)
            else:
                done[letter.input] = f"at offset {self._put_back(letter, self._producer)}"
                yield Result(letter, Outcome.DONE, done[letter.input])

    def _put_back(self, letter: Letter, producer: Producer) -> int:
        content = letter.content
        topic = BY_NAME[content.topic]
        offset = producer.send_blocking(topic, content.key, content.data, content.partition)
        note = replace(content, data=b"", re_driven_to=offset)
        key, value = encoded(self._codec, note)
        producer.send_blocking(DEAD_LETTERS, key, value, 0)
        return offset


def is_media(letter: Letter) -> bool:
    """Whether its input goes to a topic that is closed by its session's `end`."""
    return BY_NAME.get(letter.content.topic) in topics.MEDIA_TOPICS
