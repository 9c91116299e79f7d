"""Values of other releases: their schemas are looked up, and a registry that is away is waited for."""

import pytest

from connectors.kafka import decoder as module
from connectors.kafka.decoder import Decoder
from connectors.kafka.registry import NotRegistered, RegistryError
from connectors.kafka.settings import KafkaSettings
from schemas import topics
from schemas.codec import Codec, Undecodable, framed
from schemas.records import FactKind, SessionFact

FACT = SessionFact(session_id="app_1", kind=FactKind.CLAIMED, source="test")


@pytest.fixture
def decoder() -> Decoder:
    nowhere = KafkaSettings(registry_url="http://127.0.0.1:1")
    return Decoder(nowhere, Codec.with_ids_from([topics.SESSION_FACTS]))


@pytest.fixture
def foreign() -> bytes:
    return Codec.with_ids_from([topics.SESSION_FACTS], start=77).encode(topics.SESSION_FACTS, FACT)


def test_what_is_known_needs_no_registry(decoder: Decoder) -> None:
    known = decoder.codec.encode(topics.SESSION_FACTS, FACT)
    assert decoder.decode(topics.SESSION_FACTS, known) == FACT


def test_without_a_registry_a_foreign_value_is_no_dead_letter(decoder: Decoder, foreign: bytes) -> None:
    with pytest.raises(RegistryError):
        decoder.decode(topics.SESSION_FACTS, foreign)


def test_patience_lasts_until_it_is_time_to_stop(decoder: Decoder, foreign: bytes) -> None:
    answers = iter([False, False, True])
    assert decoder.decode_patiently(topics.SESSION_FACTS, foreign, lambda _: next(answers)) is None
    assert next(answers, None) is None


def test_ids_that_nobody_knows_are_asked_for_once_and_remembered_within_bounds(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def unknown(_settings: KafkaSettings, _codec: Codec, schema_id: int) -> None:
        asked.append(schema_id)
        raise NotRegistered("no such schema")

    monkeypatch.setattr(module, "learn_schema", unknown)
    monkeypatch.setattr(module, "MAX_NOBODYS", 3)
    for schema_id in (91, 91, 92, 93, 93):
        with pytest.raises(Undecodable, match=str(schema_id)):
            decoder.decode(topics.SESSION_FACTS, framed(schema_id, b"x"))
    assert asked == [91, 92, 93]
    for schema_id in range(100, 200):
        with pytest.raises(Undecodable):
            decoder.decode(topics.SESSION_FACTS, framed(schema_id, b"x"))
        assert len(decoder._nobodys) <= 3
