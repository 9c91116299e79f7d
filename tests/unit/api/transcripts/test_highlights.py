"""Hits as they are shown."""

import html
import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from api.transcript_formats import one_line
from api.transcripts.folding import folded
from api.transcripts.highlights import SHOWN, highlighted

LETTERS = st.text(st.sampled_from("abAÁ\u0301 <>&\"'\n\u202eß漢"), max_size=60)
WORDS = st.lists(st.text(st.sampled_from("ab <&漢"), min_size=1, max_size=3), min_size=1, max_size=4)


def parts(text):
    """What of a highlight is plain and what is marked, in turn."""
    return [html.unescape(part) for part in re.split("</?mark>", text)]


@given(LETTERS, WORDS)
def test_it_is_the_text_with_every_occurrence_marked(text, wanted):
    shown = highlighted(text, wanted)
    assert not re.search("<(?!/?mark>)", shown)
    assert '"' not in shown
    pieces = parts(shown)
    assert "".join(pieces) == one_line(text)
    plain, marked = pieces[::2], pieces[1::2]
    assert all(marked)
    assert not [piece for piece in plain for word in wanted if word in folded(piece)]
    found = folded(one_line(text))
    covered = {place + step for word in wanted for place in range(len(found)) if found.startswith(word, place)
               for step in range(len(word))}  # fmt: skip
    assert sum(len(folded(piece)) for piece in marked) == len(covered)


@given(st.text(st.sampled_from("ab c"), min_size=400, max_size=3000), st.integers(0, 3000))
@example("aa" + "b" * 400, 402)
def test_of_much_only_the_words_around_the_first_are_shown(text, at):
    line = one_line(text[:at] + " zebra " + text[at:])
    assume(len(line) > SHOWN)
    shown = highlighted(line, ["zebra", "a"])
    pieces = parts(shown)
    marked = pieces[1::2]
    assert marked
    assert not [piece for piece in marked if piece.strip("a") and piece != "zebra"], "those that touch are one"
    inside = "".join(pieces)
    cut_front, cut_back = inside.startswith("…"), inside.endswith("…")
    assert cut_front or cut_back
    inside = inside.strip("…")
    assert inside in line
    assert len(inside) <= SHOWN + 5
    assert line.startswith(inside) == (not cut_front)


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        ("Shall we begin?", ["begin"], "Shall we <mark>begin</mark>?"),
        ("<b>Éclair</b> & e\u0301clair", ["eclair"],
         "&lt;b&gt;<mark>Éclair</mark>&lt;/b&gt; &amp; <mark>e\u0301clair</mark>"),
        ("aaa", ["aa"], "<mark>aaa</mark>"),
        ("abcd", ["bc", "cd"], "a<mark>bcd</mark>"),
        ("nothing", ["x"], "nothing"),
        ("x" * 100 + "y", ["y"], "…" + "x" * 80 + "<mark>y</mark>"),
    ],
)  # fmt: skip
def test_examples(text, wanted, shown):
    assert highlighted(text, wanted) == shown


def test_a_megabyte_is_shown_in_a_line():
    assert len(highlighted("é<" * 500_000, ["e"])) < SHOWN * 30
