"""Zoom's numbers for the languages of its captions, as BCP 47 tags."""

_TAGS = (
    "ar bn yue ca zh-Hans zh-Hant cs da nl en et fi fr-CA fr-FR de he hi hu id it ja ko ms fa pl pt ro ru es sv tl ta "
    "te th tr uk vi"
).split()

_NUMBERS = {tag.lower(): number for number, tag in enumerate(_TAGS)}
_NUMBERS |= {"fr": _NUMBERS["fr-fr"], "zh": _NUMBERS["zh-hans"]}


def tag(number: int | None) -> str | None:
    """The tag of Zoom's language number, None where it says nothing or something new."""
    return _TAGS[number] if number is not None and 0 <= number < len(_TAGS) else None


def language_number(tag: str) -> int:
    """Zoom's number for a tag; without a region that Zoom knows it stands for the language as most speak it.

    Raises:
        KeyError: Zoom has no captions in that language.
    """
    given = tag.lower()
    language = given.partition("-")[0]
    return _NUMBERS[next((known for known in (given, language) if known in _NUMBERS), given)]
