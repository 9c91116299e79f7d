"""What of an utterance is shown with a hit: the words around it, what was looked for marked. Pure."""

import html
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

from api.transcript_formats import one_line
from api.transcripts.folding import folded, kept

BEFORE, SHOWN = 80, 320
"""Characters in front of the first mark, and in all but for the last mark."""


def highlighted(text: str, wanted: Collection[str]) -> str:
    """HTML of nothing but text and `<mark>`; `wanted` are folded, and none is empty."""
    line = one_line(text)
    compared = folded(line)
    places: Sequence[int] = range(len(line) + 1) if len(compared) == len(line) else [*kept(line), len(line)]
    first = min((place for word in wanted if (place := compared.find(word)) >= 0), default=0)
    start = max(0, places[first] - BEFORE)
    end = min(len(line), start + SHOWN)
    parts, at = ["…" if start else ""], start
    for mark in _marks(compared, wanted, first, bisect_left(places, end)):
        mark_start, mark_end = (places[place] for place in mark)
        parts += [html.escape(line[at:mark_start]), "<mark>", html.escape(line[mark_start:mark_end]), "</mark>"]
        at = mark_end
    return "".join([*parts, html.escape(line[at:end]), "…" if max(at, end) < len(line) else ""])


def _marks(compared: str, wanted: Collection[str], first: int, end: int) -> Iterator[tuple[int, int]]:
    """Where what is wanted stands that begins within [first, end), in order; what overlaps or touches is one."""
    found = sorted((place, place + len(word)) for word in wanted for place in _places(compared, word, first, end))
    start = stop = first
    for next_start, next_stop in found:
        if next_start > stop:
            yield start, stop
            start = next_start
        stop = max(stop, next_stop)
    if found:
        yield start, stop


def _places(text: str, word: str, first: int, end: int) -> Iterator[int]:
    place = text.find(word, first)
    while 0 <= place < end:
        yield place
        place = text.find(word, place + 1)
