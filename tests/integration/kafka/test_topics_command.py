"""`python -m connectors.kafka topics` makes a cluster ready, twice makes no difference, and wrong ones are refused."""

from pathlib import Path

import pytest

from connectors.kafka.__main__ import main
from connectors.kafka.dead_letters import DeadLetters, Origin
from connectors.kafka.errors import Misconfigured
from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.reader import PartitionLoader
from connectors.kafka.records import Place
from connectors.kafka.registry import Incompatible, NotRegistered, RegistryClient, RegistryError, load_codec
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_ids import topic_id
from connectors.kafka.topics import Status, TopicAdmin
from deploy.local.registry.process import registry_server
from schemas.records import DeadLetter
from schemas.topics import ALL, AUDIO, DEAD_LETTERS, SESSION_FACTS
from tests.integration.kafka.conftest import PATIENCE_S, until


@pytest.fixture
def everything(topics_ready: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    """Settings of the session's cluster, with all topics made."""
    for name, value in topics_ready.items():
        monkeypatch.setenv(name, value)
    return KafkaSettings()


def test_a_second_run_finds_all_in_order(everything: KafkaSettings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["topics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(ALL)
    assert all(line.endswith(" ok") for line in lines[1:])
    assert main(["topics", "--check"]) == 0


def test_what_drifted_is_found_and_put_right(everything: KafkaSettings, capsys: pytest.CaptureFixture[str]) -> None:
    admin = TopicAdmin(everything)
    (found,) = admin.inspect([AUDIO])
    admin._correct([found.__class__(AUDIO, found.partitions, Status.DIFFERENT, {"retention.ms": "7200000"})])
    until(lambda: admin.inspect([AUDIO])[0].status is Status.DIFFERENT, "the drift to show")
    assert main(["topics", "--check"]) == 1
    assert "different" in capsys.readouterr().out
    assert main(["topics"]) == 0
    assert "corrected" in capsys.readouterr().out
    until(lambda: admin.inspect([AUDIO])[0].status is Status.OK, "the correction to show")
    assert main(["topics", "--check"]) == 0


def test_another_partition_count_is_refused_with_the_procedure(
    everything: KafkaSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RTMS_KAFKA_PARTITIONS", str(everything.partitions * 2))
    assert main(["topics"]) == 1
    assert "stop all services" in capsys.readouterr().err


def test_a_topic_keeps_its_id(everything: KafkaSettings) -> None:
    assert topic_id(everything, SESSION_FACTS) == topic_id(everything, SESSION_FACTS) != topic_id(everything, AUDIO)


def test_a_letter_can_be_written_and_read_with_the_registrys_ids(everything: KafkaSettings) -> None:
    codec = load_codec(everything)
    producer = create_producer(everything, CONTROL)
    loader = PartitionLoader(everything)
    try:
        written = DeadLetters(producer, codec).send(Origin("rtms.audio", 3, 17), "no Confluent header", b"xyz")
        offset = written.result(PATIENCE_S)
        records = {record.offset: record for record in loader.load([Place(DEAD_LETTERS.name, 0)], PATIENCE_S)}
    finally:
        loader.close()
        producer.close()
    letter = codec.decode(DEAD_LETTERS, records[offset].value or b"")
    assert isinstance(letter, DeadLetter)
    assert (letter.topic, letter.partition, letter.offset, letter.data) == ("rtms.audio", 3, 17, b"xyz")
    assert records[offset].key == b"rtms.audio/3/17"


def test_services_refuse_to_start_without_schemas(everything: KafkaSettings, tmp_path: Path) -> None:
    empty = registry_server(tmp_path)
    empty.start()
    try:
        with pytest.raises(Misconfigured, match="python -m connectors.kafka topics"):
            load_codec(everything.model_copy(update={"registry_url": empty.url}))
    finally:
        empty.stop()


def test_an_absent_registry_is_worth_another_try(everything: KafkaSettings) -> None:
    with pytest.raises(RegistryError) as error:
        load_codec(everything.model_copy(update={"registry_url": "http://127.0.0.1:1"}))
    assert error.value.retryable


def test_the_registry_holds_readers_and_writers_together(everything: KafkaSettings) -> None:
    client = RegistryClient.from_settings(everything)
    try:
        one = '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]}'
        other = '{"type": "record", "name": "R", "fields": [{"name": "b", "type": "string"}]}'
        schema_id = client.register("compatibility-test-value", one)
        client.set_subject_compatibility("compatibility-test-value")
        assert client.register("compatibility-test-value", one) == schema_id
        assert client.latest("compatibility-test-value").schema_id == schema_id
        assert '"a"' in client.schema(schema_id)
        with pytest.raises(Incompatible):
            client.register("compatibility-test-value", other)
        with pytest.raises(NotRegistered):
            client.lookup("compatibility-test-value", other)
        with pytest.raises(NotRegistered):
            client.schema(999_999)
        assert "compatibility-test-value" in client.subjects()
    finally:
        client.close()
