"""Checks of JSON values, with the messages that clients of the App Session API know (those of jsonschema).

A check takes a value and gives it back, perhaps made into something better, or raises `Invalid`.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from api.errors import ApiError, invalid_fields

REQUIRED = ["This field is required."]
NULL = ["This field may not be null."]

_SHOWN_CHARACTERS = 100

Check = Callable[[Any], Any]


class Invalid(ValueError):
    """A value is not what it should be; `detail` is what its field says in the answer."""

    def __init__(self, *messages: str, detail: object = None) -> None:
        super().__init__("; ".join(messages))
        self.detail: object = list(messages) if detail is None else detail


def shown(value: object) -> str:
    """`value` as it appears in a message."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def an_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{shown(value)} is not of type 'object'")
    return value


def a_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{shown(value)} is not of type 'boolean'")
    return value


def a_string(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{shown(value)} is not of type 'string'")
    return value


def text_up_to(limit: int) -> Callable[[Any], str]:
    """A check for strings of 1 to `limit` characters."""

    def check(value: Any) -> str:
        text = a_string(value)
        if not text:
            raise Invalid("'' should be non-empty")
        if len(text) > limit:
            raise Invalid(f"{shown(text)} is too long")
        return text

    return check


def secret_up_to(limit: int) -> Callable[[Any], str]:
    """A check for keys and what goes with them: no answer repeats one. Files that hold one end with a line end, and no
    header may."""

    def check(value: Any) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if not (text and len(text) <= limit and text.isascii() and text.isprintable() and " " not in text):
            raise Invalid(f"This is no key: it must be of 1 to {limit} visible ASCII characters, without spaces.")
        return text

    return check


def one_of(*known: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in known:
            raise Invalid(f"{shown(value)} is not one of {[str(name) for name in known]!r}")
        return str(value)

    return check


def fields_of(
    body: Any, checks: Mapping[str, Check], required: Collection[str], nullable: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of a request's body, each through its check; fields that were not sent are left out.

    To say null for one that is `nullable` is something else than leaving it out.

    Raises:
        ApiError: 400, naming every field that is wrong; fields nobody knows only when all others are right.
    """
    if not isinstance(body, dict):
        kind = {list: "list", str: "str", int: "int", float: "float", bool: "bool"}.get(type(body), "null")
        raise _object_error(f"Invalid data. Expected a dictionary, but got {kind}.")
    values: dict[str, Any] = {}
    errors: dict[str, object] = {name: REQUIRED for name in required if name not in body}
    for name in checks:
        if name in body:
            try:
                is_null = body[name] is None and name in nullable
                values[name] = None if is_null else _checked(checks[name], body[name])
            except Invalid as error:
                errors[name] = error.detail
    if errors:
        raise invalid_fields(errors)
    if unexpected := sorted(set(body) - set(checks)):
        known = ", ".join(sorted(checks))
        raise _object_error(f"Unexpected field(s): {', '.join(unexpected)}. Allowed fields are: {known}")
    return values


def _checked(check: Check, value: Any) -> Any:
    if value is None:
        raise Invalid(*NULL)
    return check(value)


def _object_error(text: str) -> ApiError:
    return invalid_fields({"non_field_errors": [text]})
