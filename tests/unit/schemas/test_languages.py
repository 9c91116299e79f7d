"""Zoom's language numbers."""

import pytest

from schemas.languages import language_number, tag


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "ar"), (4, "zh-Hans"), (9, "en"), (13, "fr-FR"), (28, "es"), (36, "vi")]
)
def test_numbers_and_tags(number, expected):
    assert tag(number) == expected
    assert language_number(expected) == language_number(expected.upper()) == number


@pytest.mark.parametrize("number", [None, -1, 37])
def test_numbers_that_name_no_language(number):
    assert tag(number) is None


@pytest.mark.parametrize(
    ("given", "number"), [("en-GB", 9), ("fr", 13), ("fr-CA", 12), ("fr-CH", 13), ("zh", 4), ("zh-Hant", 5)]
)
def test_regions_stand_for_their_language(given, number):
    assert language_number(given) == number


def test_a_language_without_captions():
    with pytest.raises(KeyError):
        language_number("tlh")
