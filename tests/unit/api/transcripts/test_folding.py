"""Text without case and accents."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.transcripts.folding import folded, folded_in_sql, kept


@pytest.mark.parametrize(
    ("text", "same"),
    [("Éclair", "eclair"), ("e\u0301CLAIR", "eclair"), ("MÜLLER", "muller"), ("Ångström", "angstrom"), ("İ", "i"),
     ("Σίσυφος", "σισυφοσ"), ("Ёлка", "елка"), ("שָׁלוֹם", "שלום"), ("مُحَمَّد", "محمد"),
     ("ＡＢＣ", "abc"), ("Việt Nam", "viet nam")],
)  # fmt: skip
def test_case_and_accents_do_not_count(text, same):
    assert folded(text) == folded(same) == same


@pytest.mark.parametrize("text", ["ß", "straße", "가나", "がか", "हिन्दी", "ไทยที่", "漢字", "🎉", "", "1 ?%_\\'"])
def test_what_is_no_accent_stays(text):
    assert folded(text) == text


@given(st.text())
def test_folding_again_changes_nothing_and_every_character_has_a_place(text):
    once = folded(text)
    assert folded(once) == once
    places = kept(text)
    assert len(places) == len(once)
    assert places == sorted(set(places))
    assert [folded(text[place]) for place in places] == list(once)


@given(st.text(st.characters(max_codepoint=0x24F, categories=["L"])))
def test_letters_of_europe_are_as_they_are_taken_apart(text):
    apart = unicodedata.normalize("NFD", text)
    assert folded(apart) == folded(text)


def test_the_expression_can_end_no_literal():
    expression = folded_in_sql("text")
    assert expression.count("'") == 4
    assert "\\" not in expression
    assert "{" not in expression
