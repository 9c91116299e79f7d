"""Stock Confluent clients cannot tell our registry from another one."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deploy.local.server import Server

ONE = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}
TWO = {**ONE, "fields": [*ONE["fields"], {"name": "b", "type": "string", "default": ""}]}
BROKEN = {**ONE, "fields": [*ONE["fields"], {"name": "b", "type": "string"}]}


@pytest.fixture
def client(registry: Server) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": registry.url}) as client:
        yield client


@pytest.fixture
def subject() -> str:
    return f"topic/{uuid.uuid4().hex[:8]}-value"


def avro(schema: Any) -> Schema:
    return Schema(json.dumps(schema), "AVRO")


def code(failure: pytest.ExceptionInfo[SchemaRegistryError]) -> tuple[int, int]:
    return failure.value.http_status_code, failure.value.error_code


def test_versions_of_a_subject(client: SchemaRegistryClient, subject: str) -> None:
    client.set_compatibility(subject, "FULL_TRANSITIVE")
    first, second = client.register_schema(subject, avro(ONE)), client.register_schema(subject, avro(TWO))

    assert client.register_schema(subject, avro(ONE)) == first != second
    assert client.get_versions(subject) == [1, 2]
    assert client.get_latest_version(subject).schema_id == second
    assert client.get_version(subject, 1).schema_id == first
    assert json.loads(str(client.get_schema(second).schema_str)) == TWO
    assert client.lookup_schema(subject, avro(TWO)).version == 2
    assert subject in client.get_subjects()
    assert [(use.subject, use.version) for use in client.get_schema_versions(first, subject)][-1] == (subject, 1)
    assert client.get_compatibility(subject) == "FULL_TRANSITIVE"


def test_a_schema_that_breaks_readers_is_refused(client: SchemaRegistryClient, subject: str) -> None:
    client.set_compatibility(subject, "FULL_TRANSITIVE")
    client.register_schema(subject, avro(ONE))

    with pytest.raises(SchemaRegistryError) as refused:
        client.register_schema(subject, avro(BROKEN))

    assert code(refused) == (409, 409)
    assert not client.test_compatibility(subject, avro(BROKEN))
    assert client.test_compatibility(subject, avro(TWO))
    assert not client.test_compatibility_all_versions(subject, avro(BROKEN), verbose=True)


def test_every_refusal_has_the_contracts_code(client: SchemaRegistryClient, subject: str) -> None:
    with pytest.raises(SchemaRegistryError) as no_subject:
        client.get_latest_version(subject)
    client.register_schema(subject, avro(ONE))
    with pytest.raises(SchemaRegistryError) as no_version:
        client.get_version(subject, 7)
    with pytest.raises(SchemaRegistryError) as bad_version:
        client.get_version(subject, 0)
    with pytest.raises(SchemaRegistryError) as no_schema:
        client.get_schema(10_000)
    with pytest.raises(SchemaRegistryError) as not_there:
        client.lookup_schema(subject, avro(TWO))
    with pytest.raises(SchemaRegistryError) as invalid:
        client.register_schema(subject, avro({"type": "record", "name": "R"}))
    with pytest.raises(SchemaRegistryError) as bad_level:
        client.set_compatibility(subject, "SIDEWAYS")
    with pytest.raises(SchemaRegistryError) as no_level:
        client.get_compatibility(subject)

    failures = [no_subject, no_version, bad_version, no_schema, not_there, invalid, bad_level, no_level]
    codes = [40401, 40402, 42202, 40403, 40403, 42201, 42203, 40408]
    assert [code(failure) for failure in failures] == [(number // 100, number) for number in codes]


def test_the_stock_serialisers_round_trip(registry: Server, client: SchemaRegistryClient) -> None:
    topic = uuid.uuid4().hex
    context = SerializationContext(topic, MessageField.VALUE)

    data = AvroSerializer(client, json.dumps(ONE))({"a": 7}, context)

    assert data is not None
    assert data[0] == 0
    with SchemaRegistryClient({"url": registry.url}) as elsewhere:
        assert AvroDeserializer(elsewhere, json.dumps(TWO))(data, context) == {"a": 7, "b": ""}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/subjects/x/versions", b"{", 400),
        ("POST", "/subjects/x/versions", b"[]", 400),
        ("POST", "/subjects/x/versions", b'{"schema": 3}', 422),
        ("POST", "/subjects/x/versions", b'{"schema": "{"}', 422),
        ("POST", "/subjects/x/versions", b'{"schema": "[3]"}', 422),
        ("POST", "/subjects/x/versions", b'{"schema": "{}"}', 422),
        ("POST", "/subjects/x/versions", b'{"schema": "{}", "schemaType": "PROTOBUF"}', 422),
        ("GET", "/nowhere", b"", 404),
        ("DELETE", "/subjects", b"", 405),
    ],
)
def test_nonsense_gets_a_clear_answer(registry: Server, method: str, path: str, body: bytes, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", registry.program.port, timeout=60)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        problem = json.loads(answer.read())
    finally:
        connection.close()

    assert answer.status == status
    assert problem["message"]
