"""Records to bytes and back: Avro in Confluent's wire format (magic 0, 4-byte schema id, body).

Pure: which id a schema has is the registry's business, so a `Codec` is built from ids that somebody looked up
(`connectors.kafka.registry`). A value written under another id is read with its writer's schema once `learn` was told
it; until then `decode` raises `UnknownSchema`, which says which id to look up.

Errors::

    Undecodable(ValueError)    the bytes are no record of this topic, for ever
    └── UnknownSchema          nobody told us the writer's schema yet
"""

import io
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import fastavro
import msgspec
from fastavro.types import Schema

from schemas import topics
from schemas.learned import learned
from schemas.records import CLASS_OF, Record
from schemas.topics import Topic

MAGIC = 0
HEADER_BYTES = 5


NO_HEADER = "no Confluent header"
"""The reason why a value is refused that is too short or begins with something else, also where there is none."""

_CLASS_OF = {name: learned(record) for name, record in CLASS_OF.items()}


class Undecodable(ValueError):
    """The bytes can never become a record of the topic; `reason` is safe to log (it holds no payload)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownSchema(Undecodable):
    """The value names a schema id that this codec has not learned."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"unknown schema id {schema_id}")
        self.schema_id = schema_id


@cache
def schema_text(schema: str) -> str:
    """The Avro file `schema` ("utterance.v1") as it is registered."""
    return files("schemas").joinpath("avro", f"{schema}.avsc").read_text(encoding="utf-8")


@cache
def parsed(schema: str) -> Schema:
    return fastavro.parse_schema(json.loads(schema_text(schema)))


def framed(schema_id: int, body: bytes) -> bytes:
    """`body` with Confluent's header."""
    return MAGIC.to_bytes(1, "big") + schema_id.to_bytes(4, "big") + body


class Codec:
    """Encodes with this release's schemas, decodes with the writer's, resolved to this release's.

    `ids` gives the registry id of each topic's schema, by topic name.
    """

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = dict(ids)
        self._writers: dict[int, Schema] = {
            schema_id: parsed(topics.BY_NAME[name].schema) for name, schema_id in ids.items()
        }

    @classmethod
    def with_ids_from(cls, known: Iterable[Topic], start: int = 1) -> "Codec":
        """A codec without a registry: ids are counted from `start`, one per schema. For tests and tools."""
        ids: dict[str, int] = {}
        by_schema: dict[str, int] = {}
        for topic in known:
            ids[topic.name] = by_schema.setdefault(topic.schema, start + len(by_schema))
        return cls(ids)

    def schema_id(self, topic: Topic) -> int:
        return self._ids[topic.name]

    def learn(self, schema_id: int, schema: str) -> None:
        """Remember a writer's schema (JSON) that the registry knows under `schema_id`."""
        self._writers[schema_id] = fastavro.parse_schema(json.loads(schema))

    def knows(self, data: bytes) -> bool:
        """Whether nobody has to be asked about `data`: its schema is known, or it names none."""
        if len(data) < HEADER_BYTES or data[0] != MAGIC:
            return True
        return int.from_bytes(data[1:HEADER_BYTES], "big") in self._writers

    def encode(self, topic: Topic, record: Record) -> bytes:
        body = io.BytesIO()
        body.write(framed(self._ids[topic.name], b""))
        fastavro.schemaless_writer(body, parsed(topic.schema), msgspec.to_builtins(record, builtin_types=(bytes,)))
        return body.getvalue()

    def decode(self, topic: Topic, data: bytes) -> Record:
        """The record in `data`.

        Raises:
            UnknownSchema: look the id up, `learn` it and call again.
            Undecodable: a dead letter.
        """
        if len(data) < HEADER_BYTES or data[0] != MAGIC:
            raise Undecodable(NO_HEADER)
        schema_id = int.from_bytes(data[1:HEADER_BYTES], "big")
        writer = self._writers.get(schema_id)
        if writer is None:
            raise UnknownSchema(schema_id)
        return self._read(topic, data, writer)

    def _read(self, topic: Topic, data: bytes, writer: Schema) -> Record:
        reader = parsed(topic.schema)
        stream = io.BytesIO(data)
        stream.seek(HEADER_BYTES)
        try:
            value: Any = fastavro.schemaless_reader(stream, writer, None if writer is reader else reader)
            record = msgspec.convert(value, _CLASS_OF[topic.name])
        except Exception as error:  # noqa: BLE001  hostile bytes make fastavro raise nearly anything
            raise Undecodable(f"not a {topic.schema} value ({type(error).__name__})") from None
        if stream.tell() != len(data):
            raise Undecodable(f"{len(data) - stream.tell()} bytes behind the {topic.schema} value")
        return record
