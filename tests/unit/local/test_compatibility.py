"""The registry's compatibility check follows Avro's rules of schema resolution."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from fastavro import schemaless_reader, schemaless_writer
from fastavro.schema import parse_schema
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.registry.compatibility import Level, incompatibilities, violations


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


A = field("a", "long")
B = field("b", "string")
B_DEFAULT = field("b", "string", default="")

READABLE = [
    ("int", "int"),
    ("long", "int"),
    ("double", "float"),
    ("bytes", "string"),
    (["null", "long"], "int"),
    (["null", "string"], ["null"]),
    (record(A, B_DEFAULT), record(A)),
    (record(A), record(A, B)),
    (record(field("new", "long", aliases=["a"])), record(A)),
    (record(A, name="other.R"), record(A, name="one.R")),
    (enum("x", "y"), enum("x")),
    (enum("x", default="x"), enum("x", "y")),
    ({"type": "array", "items": "long"}, {"type": "array", "items": "int"}),
    ({"type": "map", "values": ["null", "int"]}, {"type": "map", "values": "int"}),
    ({"type": "long", "logicalType": "timestamp-micros"}, "long"),
    (record(field("next", ["null", "R"])), record(field("next", ["null", "R"]))),
]
UNREADABLE = [
    ("int", "long"),
    ("string", "int"),
    ("int", ["null", "int"]),
    (["null", "string"], "long"),
    (record(A, B), record(A)),
    (record(A), record(field("a", "string"))),
    (record(A, name="R"), record(A, name="S")),
    (enum("x"), enum("x", "y")),
    ({"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 8}),
    ({"type": "array", "items": "int"}, {"type": "map", "values": "int"}),
    (record(field("e", enum("x"))), record(field("e", enum("x", "y")))),
    (record(field("next", ["null", "R"]), B), record(field("next", ["null", "R"]))),
]


@pytest.mark.parametrize(("reader", "writer"), READABLE)
def test_readable(reader: Any, writer: Any) -> None:
    assert incompatibilities(reader, writer) == []


@pytest.mark.parametrize(("reader", "writer"), UNREADABLE)
def test_unreadable(reader: Any, writer: Any) -> None:
    assert incompatibilities(reader, writer)


def test_a_reason_names_the_field() -> None:
    inner = record(field("deep", "int"), name="Inner")
    outer = record(field("deep", "string"), name="Inner")

    [reason] = incompatibilities(record(field("inner", outer)), record(field("inner", inner)))

    assert "/inner/deep" in reason


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        (Level.NONE, {"add", "add default", "remove", "remove default"}),
        (Level.BACKWARD, {"add default", "remove", "remove default"}),
        (Level.FORWARD, {"add", "add default", "remove default"}),
        (Level.FULL_TRANSITIVE, {"add default", "remove default"}),
    ],
)
def test_what_each_level_allows(level: Level, allowed: set[str]) -> None:
    changes = {
        "add": (record(A, B), record(A)),
        "add default": (record(A, B_DEFAULT), record(A)),
        "remove": (record(A), record(A, B)),
        "remove default": (record(A), record(A, B_DEFAULT)),
    }

    assert {name for name, (new, old) in changes.items() if not violations(level, new, [old])} == allowed


def test_transitive_levels_look_further_back_than_the_last_version() -> None:
    versions = [record(A, field("b", "long")), record(A)]

    assert violations(Level.FULL, record(A, B_DEFAULT), versions) == []
    assert violations(Level.FULL_TRANSITIVE, record(A, B_DEFAULT), versions)


_FIELD_TYPES = st.sampled_from(["int", "long", "double", "string", ["null", "string"], enum("x"), enum("x", "y")])
_DEFAULTS: dict[str, Any] = {"int": 1, "long": 1, "double": 1.5, "string": "s"}


@st.composite
def _records(draw: st.DrawFn) -> dict[str, Any]:
    fields = []
    for name in draw(st.lists(st.sampled_from("abc"), unique=True)):
        kind = draw(_FIELD_TYPES)
        if isinstance(kind, dict):
            kind = {**kind, "name": f"E{name}"}
        default = None if isinstance(kind, list) else "x" if isinstance(kind, dict) else _DEFAULTS[kind]
        fields.append(field(name, kind, **({"default": default} if draw(st.booleans()) else {})))
    return record(*fields)


@given(_records(), _records())
def test_what_is_called_readable_is_read_by_an_independent_reader(reader: Any, writer: Any) -> None:
    if incompatibilities(reader, writer):
        return
    data = io.BytesIO()
    values = {
        f["name"]: f["type"]["symbols"][-1] if isinstance(f["type"], dict) else _DEFAULTS.get(str(f["type"]), "s")
        for f in writer["fields"]
    }
    schemaless_writer(data, parse_schema(json.loads(json.dumps(writer))), values)
    data.seek(0)

    read = schemaless_reader(data, parse_schema(writer), parse_schema(reader))

    assert isinstance(read, dict)
    assert set(read) == {f["name"] for f in reader["fields"]}
