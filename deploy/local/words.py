"""Word error rate: how far a transcript is from what was really said.

Both sides are reduced to bare words first (case, punctuation and the kind of apostrophe do not count), because a
recogniser that writes "incredulity," has heard "incredulity".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """The least number of words to change, drop or add that turns what was heard into what was said."""

    errors: int
    said: int

    @property
    def rate(self) -> float:
        """Errors per word said; without any word said, 0 if nothing was heard either, else 1."""
        return self.errors / self.said if self.said else float(self.errors > 0)


def words(text: str) -> list[str]:
    """`text` as bare words: "It's fine -- isn’t it?" is it's, fine, isn't, it."""
    return _WORD.findall(text.casefold().replace("\u2019", "'"))


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Compare what was heard (`hypothesis`) with what was said (`reference`)."""
    said = words(reference)
    return WordErrors(_distance(said, words(hypothesis)), len(said))


def word_error_rate(reference: str, hypothesis: str) -> float:
    return word_errors(reference, hypothesis).rate


def _distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """Levenshtein's distance by words, one row at a time."""
    row = list(range(len(heard) + 1))
    for line, word in enumerate(said, 1):
        above, row = row, [line]
        for column, other in enumerate(heard, 1):
            changed = above[column - 1] + (word != other)
            row.append(min(changed, above[column] + 1, row[column - 1] + 1))
    return row[-1]
