"""Zoom's numbers for the languages of its captions, as BCP 47 tags."""

_TAGS = (
    "ar bn yue ca zh-Hans zh-Hant cs da nl en et fi fr-CA fr-FR de he hi hu id it ja ko ms fa pl pt ro ru es sv tl ta "
    "te th tr uk vi"
).split()


def tag(number: int | None) -> str | None:
    """The tag of Zoom's language number, None where it says nothing or something new."""
    return _TAGS[number] if number is not None and 0 <= number < len(_TAGS) else None
