"""Text without case and accents, the same here and in ClickHouse. Pure.

A table of single characters does it on both sides: what a search finds is then exactly what can be marked, and no
release of ClickHouse has to agree with Unicode as Python knows it (some are built without its tables). Letters that
Unicode takes apart into several, as ß, stay as they are.
"""

import unicodedata
from collections.abc import Iterator

# The accents of the European scripts and the vowel points of Hebrew and Arabic. Elsewhere a combining character is a
# letter's half: without it the word is another.
_ACCENTS = frozenset(
    [*range(0x0300, 0x0370), *range(0x0591, 0x05BE), 0x05BF, 0x05C1, 0x05C2, 0x05C4, 0x05C5, 0x05C7]
    + [*range(0x064B, 0x0660), 0x0670]
)
_SURROGATES = range(0xD800, 0xE000)


def _folds() -> Iterator[tuple[str, str]]:
    for code in range(ord("A"), 0x10000):
        if code in _SURROGATES or code in _ACCENTS:
            continue
        letter = chr(code)
        apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold())
        left = [part for part in apart if ord(part) not in _ACCENTS]
        if len(left) == 1 and left[0].isalnum() and left[0] != letter:
            yield letter, left[0]


_FOLDS = dict(_folds())
_TABLE = str.maketrans(_FOLDS) | dict.fromkeys(_ACCENTS)


def folded(text: str) -> str:
    """`text` as it is compared."""
    return text.translate(_TABLE)


def kept(text: str) -> list[int]:
    """Where in `text` each character of `folded(text)` comes from."""
    return [place for place, letter in enumerate(text) if ord(letter) not in _ACCENTS]


def folded_in_sql(column: str) -> str:
    """The expression that is `folded` of a column: what is beyond the letters of the second text is left out."""
    accents = "".join(map(chr, sorted(_ACCENTS)))
    return f"translateUTF8({column}, '{''.join(_FOLDS)}{accents}', '{''.join(_FOLDS.values())}')"
