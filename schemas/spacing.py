"""Pieces of speech put together as their language is written. Pure.

Which language it is, often nobody says: some services hear several at a time. The letters say it.
"""

from collections.abc import Iterable

# Thai and Lao, Burmese, Khmer; Japanese and Chinese with their punctuation and their wide and narrow forms.
_UNSPACED = (
    range(0x0E00, 0x0F00),
    range(0x1000, 0x10A0),
    range(0x1780, 0x1800),
    range(0x3000, 0x3100),
    range(0x31F0, 0x3200),
    range(0x3400, 0xA000),
    range(0xF900, 0xFB00),
    range(0xFF01, 0xFFA0),
    range(0x20000, 0x40000),
)


def joined(pieces: Iterable[str]) -> str:
    """The pieces that are not empty, with a space between two of them but where both sides are of a script that has
    none between words."""
    parts: list[str] = []
    for piece in pieces:
        if piece and parts and not (_is_unspaced(parts[-1][-1]) and _is_unspaced(piece[0])):
            parts.append(" ")
        if piece:
            parts.append(piece)
    return "".join(parts)


def _is_unspaced(letter: str) -> bool:
    return any(ord(letter) in letters for letters in _UNSPACED)
