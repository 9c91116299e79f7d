"""Whether a reader's Avro schema can read what a writer's schema wrote, by the rules of Avro's schema resolution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

Schema = Any
"""A schema as parsed JSON: a name, a union (list) or a definition (object)."""

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class Level(StrEnum):
    """What a new version of a subject must be able to do."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"


def violations(level: Level, candidate: Schema, earlier: Sequence[Schema]) -> list[str]:
    """Why the candidate may not follow the earlier versions (oldest first) of its subject; empty when it may."""
    against = earlier if level.endswith("TRANSITIVE") else earlier[-1:]
    found: list[str] = []
    for version in against:
        if level.startswith(("BACKWARD", "FULL")):
            found += [f"the new schema cannot read old data: {why}" for why in incompatibilities(candidate, version)]
        if level.startswith(("FORWARD", "FULL")):
            found += [f"the old schema cannot read new data: {why}" for why in incompatibilities(version, candidate)]
    return found


def incompatibilities(reader: Schema, writer: Schema) -> list[str]:
    """Every reason why data of the writer's schema cannot be read with the reader's, each with its path."""
    return list(_Resolution(reader, writer).compare(reader, writer, ""))


class _Resolution:
    """One comparison: the named types of both sides, and the pairs already being compared (types may recurse)."""

    def __init__(self, reader: Schema, writer: Schema) -> None:
        self._reader_types = dict(_named_types(reader))
        self._writer_types = dict(_named_types(writer))
        self._visited: set[tuple[str, str]] = set()

    def compare(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        reader, writer = _definition(reader, self._reader_types), _definition(writer, self._writer_types)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.compare(reader, branch, path)
        elif isinstance(reader, list):
            yield from self._any_branch(reader, writer, path)
        else:
            yield from self._same_kind(reader, writer, path)

    def _any_branch(self, branches: list[Schema], writer: Schema, path: str) -> Iterator[str]:
        visited = set(self._visited)
        for branch in branches:
            self._visited = set(visited)
            if not any(True for _ in self.compare(branch, writer, path)):
                return
        yield f"{path or '/'}: no branch of the reader's union takes {_type(writer)}"

    def _same_kind(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        kind, written = _type(reader), _type(writer)
        if kind != written:
            if kind not in _PROMOTIONS.get(written, ()):
                yield f"{path or '/'}: {written} cannot be read as {kind}"
        elif kind not in _PRIMITIVES:
            yield from self._complex(kind, reader, writer, path)

    def _complex(self, kind: str, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        if kind in ("record", "enum", "fixed") and not _same_name(reader, writer):
            yield f"{path or '/'}: {kind} {writer['name']} cannot be read as {reader['name']}"
        elif kind == "record":
            yield from self._record(reader, writer, path)
        elif kind == "enum":
            yield from _enum(reader, writer, path)
        elif kind == "fixed" and reader["size"] != writer["size"]:
            yield f"{path or '/'}: fixed of {writer['size']} bytes cannot be read as {reader['size']}"
        elif kind in ("array", "map"):
            inner = "items" if kind == "array" else "values"
            yield from self.compare(reader[inner], writer[inner], f"{path}/{inner}")

    def _record(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        pair = (reader["name"], writer["name"])
        if pair in self._visited:
            return
        self._visited.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = [field["name"], *field.get("aliases", [])]
            source = next((written[name] for name in names if name in written), None)
            where = f"{path}/{field['name']}"
            if source is not None:
                yield from self.compare(field["type"], source["type"], where)
            elif "default" not in field:
                yield f"{where}: the reader's field has no default and the writer does not write it"


def _enum(reader: Schema, writer: Schema, path: str) -> Iterator[str]:
    unknown = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if unknown and "default" not in reader:
        yield f"{path or '/'}: the reader's enum {reader['name']} lacks {', '.join(unknown)} and has no default"


def _type(schema: Schema) -> str:
    if isinstance(schema, list):
        return "union"
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _definition(schema: Schema, types: dict[str, Schema]) -> Schema:
    """What a name or a wrapped type stands for."""
    if isinstance(schema, str):
        return schema if schema in _PRIMITIVES else types[schema.rpartition(".")[2]]
    if isinstance(schema, dict) and (isinstance(schema["type"], dict | list) or schema["type"] not in _COMPLEX):
        return _definition(schema["type"], types)
    return schema


_COMPLEX = frozenset({"record", "enum", "fixed", "array", "map"})


def _same_name(reader: Schema, writer: Schema) -> bool:
    """By unqualified name, as Avro's own check does, or by an alias of the reader."""
    names = [reader["name"], *reader.get("aliases", [])]
    return _short(writer["name"]) in [_short(name) for name in names]


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _named_types(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every record, enum and fixed in the schema by its unqualified name."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _named_types(branch)
    elif isinstance(schema, dict):
        if "name" in schema and schema["type"] in ("record", "enum", "fixed"):
            yield _short(schema["name"]), schema
        for field in schema.get("fields", ()):
            yield from _named_types(field["type"])
        for inner in (schema.get("items"), schema.get("values"), schema["type"]):
            if isinstance(inner, dict | list):
                yield from _named_types(inner)
