import contextlib
import dataclasses
import enum
import io
import json
import types
import typing

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import codec, records, topics
from schemas.codec import Codec, Undecodable, UnknownSchema

CODEC = Codec.with_ids_from(topics.ALL)
PLAIN = {
    bool: st.booleans(),
    int: st.integers(min_value=-(2**31), max_value=2**31 - 1),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    bytes: st.binary(max_size=40),
    types.NoneType: st.none(),
}


def anything(kind):
    """Values of an annotated type, as far as records use types."""
    if kind in PLAIN:
        return PLAIN[kind]
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return st.builds(kind, **{field.name: anything(hints[field.name]) for field in dataclasses.fields(kind)})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    if typing.get_origin(kind) is tuple:
        return st.lists(anything(typing.get_args(kind)[0]), max_size=3).map(tuple)
    return st.one_of(*(anything(member) for member in typing.get_args(kind)))


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
@given(data=st.data())
def test_every_record_survives_the_round_trip(topic, data):
    record = data.draw(anything(records.CLASS_OF[topic.name]))
    assert CODEC.decode(topic, CODEC.encode(topic, record)) == record


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
def test_class_and_avro_file_name_the_same_fields(topic):
    declared = {field["name"] for field in codec.parsed(topic.schema)["fields"]}
    assert declared == {field.name for field in dataclasses.fields(records.CLASS_OF[topic.name])}


@given(st.binary(max_size=200))
def test_garbage_is_undecodable_and_nothing_else(data):
    for topic in topics.ALL:
        with contextlib.suppress(Undecodable):
            assert isinstance(CODEC.decode(topic, b"\0\0\0\0\1" + data), records.CLASS_OF[topic.name])


def test_a_foreign_schema_id_is_named():
    with pytest.raises(UnknownSchema) as caught:
        CODEC.decode(topics.TRANSCRIPTS, b"\0\0\0\1\0rest")
    assert caught.value.schema_id == 256


def test_only_a_foreign_schema_id_is_to_be_asked_about():
    known = CODEC.encode(topics.PROJECTS, records.Project(project_id="proj_1", name="x", created_at_ms=1))
    assert [CODEC.knows(data) for data in (known, b"", b"\0\0", b"rubbish", b"\0\0\0\1\0rest")] == [True] * 4 + [False]


def test_bytes_behind_the_value_are_refused():
    project = records.Project(project_id="proj_1", name="x", created_at_ms=1)
    with pytest.raises(Undecodable, match="1 bytes behind"):
        CODEC.decode(topics.PROJECTS, CODEC.encode(topics.PROJECTS, project) + b"x")


def test_a_learned_schema_with_unknown_symbol_and_field_is_read_with_defaults():
    newer = codec.schema_text("utterance.v1").replace('"failed"', '"failed", "withdrawn"')
    newer = newer.replace('"fields": [', '"fields": [{"name": "mood", "type": "string", "default": ""},', 1)
    other = Codec.with_ids_from(topics.ALL)
    other.learn(99, newer)
    body = _written(newer, {"kind": "item", "status": "withdrawn", "mood": "merry"})
    record = other.decode(topics.TRANSCRIPTS, codec.framed(99, body))
    assert record.status is records.UtteranceStatus.UNKNOWN
    assert record.text == "hello"


def _written(schema, changed):
    base = records.Utterance(session_id="app_x", kind=records.OutputKind.ITEM, text="hello")
    stream = io.BytesIO()
    value = msgspec.to_builtins(base, builtin_types=(bytes,)) | changed
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(schema)), value)
    return stream.getvalue()
