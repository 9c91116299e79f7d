"""Checks made of JSON Schemas, so that what the OpenAPI document says is what is checked. Pure.

The messages are jsonschema's own, of the one error that says most: clients of the App Session API know them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from api.bodies import has_more_values
from api.shapes import Check, Invalid

_MESSAGE_CHARACTERS = 500

MOST_VALUES = 5000
"""In what is checked, which takes up to 40 µs each, and everybody waits."""

Schema = Mapping[str, Any]


def _unique(_validator: Any, wanted: bool, items: Any, _schema: Schema) -> Iterator[ValidationError]:
    """The library compares each with each where their types differ: a request of a megabyte took hours."""
    if wanted and isinstance(items, list) and len({json.dumps(item, sort_keys=True) for item in items}) < len(items):
        yield ValidationError(f"{items!r} has non-unique elements")


_Validator: Any = extend(Draft202012Validator, {"uniqueItems": _unique})


def conforms(schema: Schema) -> Check:
    """A check that a value is as `schema` says."""
    validator = _Validator(schema)

    def check(value: Any) -> Any:
        if has_more_values(value, MOST_VALUES):
            raise Invalid(f"This has more than {MOST_VALUES} values.")
        error = best_match(validator.iter_errors(value))
        if error is not None:
            raise Invalid(error.message[:_MESSAGE_CHARACTERS])
        return value

    return check


def whole_number(schema: Schema) -> Callable[[Any], int]:
    """A check for integers, which JSON may write as `1.0`: they are the same to a schema, and not to us."""
    check = conforms(schema)
    return lambda value: int(check(value))


def closed(properties: Schema, *, required: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """An object with these properties and no others."""
    schema = {"type": "object", "properties": dict(properties), "additionalProperties": False} | more
    return schema | ({"required": list(required)} if required else {})


def one_of(*values: str, **more: Any) -> dict[str, Any]:
    """One of these strings."""
    return {"type": "string", "enum": list(values)} | more


STRING: dict[str, Any] = {"type": "string"}
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
BOOLEAN: dict[str, Any] = {"type": "boolean"}
OBJECT: dict[str, Any] = {"type": "object"}
STRINGS: dict[str, Any] = {"type": "array", "items": STRING}
UNIQUE_STRINGS: dict[str, Any] = {"type": "array", "items": STRING, "uniqueItems": True}
