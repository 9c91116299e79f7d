"""Checks made of JSON Schemas, so that what the OpenAPI document says is what is checked. Pure.

The messages are jsonschema's own, of the one error that says most: clients of the App Session API know them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from api.shapes import Check, Invalid

_MESSAGE_CHARACTERS = 500

Schema = Mapping[str, Any]


def conforms(schema: Schema) -> Check:
    """A check that a value is as `schema` says."""
    validator = Draft202012Validator(schema)

    def check(value: Any) -> Any:
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
