"""What makes a schema valid Avro beyond what the parser checks: it lets a record without fields pass."""

from __future__ import annotations

from typing import Any

from fastavro.schema import SchemaParseException, UnknownType, parse_schema

_REQUIRED = {
    "record": "fields",
    "error": "fields",
    "enum": "symbols",
    "fixed": "size",
    "array": "items",
    "map": "values",
}


class InvalidSchema(ValueError):
    """Not an Avro schema."""


def check(schema: Any) -> None:
    """Raises InvalidSchema with a reason."""
    _complete(schema)
    try:
        parse_schema(schema)
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError) as problem:
        raise InvalidSchema(str(problem)) from problem


def _complete(schema: Any) -> None:
    if isinstance(schema, list):
        for branch in schema:
            _complete(branch)
    elif isinstance(schema, dict):
        _complete_definition(schema)
    elif not isinstance(schema, str):
        raise InvalidSchema(f"{schema!r} is no schema")


def _complete_definition(schema: dict[str, Any]) -> None:
    kind = schema.get("type")
    if kind is None:
        raise InvalidSchema("a definition without a type")
    if isinstance(kind, dict | list):
        return _complete(kind)
    required = _REQUIRED.get(str(kind))
    if required is not None and required not in schema:
        raise InvalidSchema(f"{kind} {schema.get('name', '')} without {required}")
    for inner in ("items", "values"):
        if inner in schema:
            _complete(schema[inner])
    for field in schema.get("fields", ()):
        _complete_field(field)


def _complete_field(field: Any) -> None:
    if not isinstance(field, dict) or not isinstance(field.get("name"), str):
        raise InvalidSchema("a field without a name")
    if "type" not in field:
        raise InvalidSchema(f"field {field['name']} without a type")
    _complete(field["type"])
