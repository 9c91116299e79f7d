"""The words of the recordings that the people of a meeting speak, phrase by phrase: the truth for the word error rate.

Both recordings come with the `moonshine-voice` wheel (the `recogniser` extra) and are human voices; nothing of them is
stored here. The wheel carries no transcripts. The texts below were found by listening with the wheel's own recogniser,
then corrected against the books: where the recogniser misheard, the book's word stands.

* `two_cities`: the opening sentence of Charles Dickens, A Tale of Two Cities (1859), which is in the public domain.
* `beckett`: twelve words of Samuel Beckett's Worstward Ho (1983), quoted.

Bounds are milliseconds in the recording and lie in its pauses, so that a cut never goes through a word.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """Some words between two pauses."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One recording. `gain` brings its voice to the level of somebody close to a microphone."""

    name: str
    gain: float
    phrases: tuple[Phrase, ...]

    @property
    def file(self) -> str:
        """The recording's file in the wheel."""
        return f"{self.name}.wav"


TWO_CITIES = Reading(
    "two_cities",
    3.2,
    (
        Phrase(1030, 4790, "It was the best of times, it was the worst of times,"),
        Phrase(4850, 6420, "it was the age of wisdom,"),
        Phrase(6500, 8440, "it was the age of foolishness,"),
        Phrase(8650, 10530, "it was the epoch of belief,"),
        Phrase(10600, 13030, "it was the epoch of incredulity,"),
        Phrase(13300, 14970, "it was the season of light,"),
        Phrase(14980, 16930, "it was the season of darkness,"),
        Phrase(17400, 20700, "it was the spring of hope, it was the winter of despair,"),
        Phrase(21080, 24240, "we had everything before us, we had nothing before us,"),
        Phrase(24480, 26270, "we were all going direct to heaven,"),
        Phrase(26390, 28520, "we were all going direct the other way."),
        Phrase(28940, 32470, "In short, the period was so far like the present period,"),
        Phrase(
            32620,
            41900,
            "that some of its noisiest authorities insisted on its being received, for good or for evil, "
            "in the superlative degree of comparison only.",
        ),
    ),
)

BECKETT = Reading(
    "beckett",
    1.8,
    (
        Phrase(0, 1610, "Ever tried."),
        Phrase(1610, 3380, "Ever failed."),
        Phrase(3390, 4800, "No matter."),
        Phrase(4800, 5760, "Try again."),
        Phrase(6480, 7780, "Fail again."),
        Phrase(7780, 9960, "Fail better."),
    ),
)

READINGS = {reading.name: reading for reading in (TWO_CITIES, BECKETT)}
