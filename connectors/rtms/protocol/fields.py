"""Reading fields of Zoom's JSON the way a client that survives reality must: tolerant in form, strict in meaning.

Ids come as numbers or strings, times in three units, URLs in three shapes. Every reader answers None (or nothing) for
what it cannot use; none raises.
"""

from collections.abc import Mapping
from typing import Any

_MICROSECONDS_FROM = 10**14
_MILLISECONDS_FROM = 10**11
_LARGEST = 2**63 - 1

LONGEST_NAME = 512
"""In characters. Zoom's own end at 64; names are kept beside every participant."""


def integer(value: Any) -> int | None:
    """A whole number given as number or decimal string; booleans and everything else are None."""
    if type(value) is int:
        return value if -_LARGEST <= value <= _LARGEST else None
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if type(value) is str and 0 < len(value) <= 19 and value.isascii() and value.removeprefix("-").isdigit():
        return integer(int(value))
    return None


def code(value: Any) -> int | None:
    """A number that Zoom gives a meaning, small enough for an Avro int; a larger one means nothing to anybody."""
    number = integer(value)
    return number if number is not None and -(2**31) <= number < 2**31 else None


def text(value: Any) -> str | None:
    """A string as it is, a whole number as its digits; everything else is None."""
    if type(value) is str:
        return value
    number = integer(value)
    return None if number is None else str(number)


def person_name(value: Any) -> str | None:
    """What somebody is called; of what is longer than any name, the beginning."""
    told = text(value)
    return None if told is None else told[:LONGEST_NAME]


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The JSON objects in a list (an object by itself counts as a list of one)."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def first(source: Mapping[str, Any], *names: str) -> Any:
    """The first of `names` that `source` has with a value other than null."""
    for name in names:
        value = source.get(name)
        if value is not None:
            return value
    return None


def milliseconds(value: Any) -> int | None:
    """A Zoom time in milliseconds; the unit (s, ms, µs) is told by its magnitude. Zero and less is no time."""
    number = integer(value)
    if number is None or number <= 0:
        return None
    if number > _MICROSECONDS_FROM:
        return number // 1000
    return number if number > _MILLISECONDS_FROM else number * 1000


def urls(value: Any) -> tuple[str, ...]:
    """Signalling URLs of a webhook: one string, several separated by commas, a list, or an object's values."""
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    if isinstance(value, dict):
        preferred = [value["all"]] if "all" in value else []
        value = preferred + [item for key, item in value.items() if key != "all"]
    if not isinstance(value, list):
        return ()
    found = [url for item in value if isinstance(item, str) for url in urls(item)]
    return tuple(dict.fromkeys(found))
