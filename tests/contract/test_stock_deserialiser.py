"""Whoever consumes our topics needs nothing of ours: Confluent's own client and deserialiser read all of them."""

import dataclasses
import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from connectors.kafka.producer import CONTROL, create_producer
from connectors.kafka.registry import load_codec
from connectors.kafka.settings import KafkaSettings
from schemas import records, topics
from schemas.records import Begin, FactKind, Hole, RecordKind, Stored, StreamRequest
from tests.support.processes import PATIENCE_S

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=("wss://a",), zoom_app_id="z")
HEAD = {
    "session_id": "app_contract",
    "kind": RecordKind.BEGIN,
    "participant_name": "Björn",
    "epoch": 5,
    "begin": Begin(worker="w", settings="{}", negotiated="{}"),
    "sequence": 1,
    "timestamp_ms": 1_700_000_000_000,
    "arrived_us": 1_700_000_000_000_000,
}
ENTRY = records.HistoryEntry(event_type="e", old_state="ready", new_state="connecting", created_at_ms=1)
STATE = {"session_id": "app_contract", "assignment": "1.x", "state": "{}"}
TELLING = {
    "delivery_id": "whd_1",
    "session_id": "app_contract",
    "project_id": "proj_1",
    "subscription_id": "webhook_1",
    "url": "https://a",
    "trigger": "bot.state_change",
    "body": "{}",
    "created_at_ms": 1,
}
EXAMPLES = {
    "rtms.audio": records.Audio(**HEAD, codec=records.Codec.L16, sample_rate_hz=16000, channels=1, payload=b"\0\1"),
    "rtms.video": records.Video(**HEAD, codec=records.Codec.H264, key_frame=True, payload=b"\0\0\1"),
    "rtms.share": records.Video(**HEAD, codec=records.Codec.JPG, payload=b"\xff\xd8"),
    "rtms.captions": records.Caption(**HEAD, start_ms=1, end_ms=2, language=9, text="Grüße"),
    "rtms.chat": records.Chat(**HEAD, message_id="1", operation="new", text="hi"),
    "rtms.events": records.Event(**HEAD, event="participant_joined", code=3),
    "session-facts": records.SessionFact(
        session_id="app_contract",
        kind=FactKind.HOLE_FOUND,
        request=REQUEST,
        stored=Stored(key="k"),
        hole=Hole(medium="video", from_ms=1, to_ms=2, cause="x"),
    ),
    "app-sessions": records.AppSession(
        session_id="app_contract",
        project_id="proj_1",
        state="ended",
        request=REQUEST,
        settings="{}",
        metadata=None,
        history=(ENTRY,),
        recording_state="in_progress",
        transcription_state="in_progress",
        awaiting=("events",),
        created_at_ms=1,
        epoch=2,
        folded_offset=3,
    ),
    "session-changes": records.SessionChange(session_id="app_contract", project_id="proj_1", sequence=0, change=ENTRY),
    "transcripts": records.Utterance(session_id="app_contract", kind=records.OutputKind.ITEM, text="héllo"),
    "transcript-partials": records.Utterance(
        session_id="app_contract", kind=records.OutputKind.ITEM, status=records.UtteranceStatus.PARTIAL, text="hél"
    ),
    "participant-events": records.ParticipantEvent(
        session_id="app_contract", kind=records.OutputKind.ITEM, event="join"
    ),
    "recording-segments": records.Segment(session_id="app_contract", kind=records.OutputKind.ITEM, payload=b"moof"),
    "transcription-state": records.ProcessorState(**STATE),
    "muxing-state": records.ProcessorState(**STATE),
    "participants-state": records.ProcessorState(**STATE),
    "projects": records.Project(project_id="proj_1", name="n", created_at_ms=1),
    "api-keys": records.ApiKey(key_id="key_1", project_id="proj_1", name="n", secret_sha256="0", created_at_ms=1),
    "zoom-apps": records.ZoomApp(
        zoom_app_id="zoa_1", project_id="proj_1", client_id="c", client_secret_encrypted="e", created_at_ms=1
    ),
    "credentials": records.Credential(
        credential_id="cred_1",
        project_id="proj_1",
        kind=records.CredentialKind.OPENAI,
        secret_encrypted="e",
        created_at_ms=1,
    ),
    "webhook-subscriptions": records.WebhookSubscription(
        subscription_id="webhook_1",
        project_id="proj_1",
        url="https://a",
        triggers=("bot.state_change",),
        secrets_encrypted=("e",),
        created_at_ms=1,
    ),
    "webhook-notices": records.WebhookNotice(**TELLING),
    "webhook-deliveries": records.WebhookDelivery(
        **TELLING,
        sequence=0,
        status=records.DeliveryStatus.PENDING,
        attempts=(records.DeliveryAttempt(at_ms=1, status_code=500, excerpt="no"),),
        due_ms=2,
        notice_offset=4,
    ),
    "api-key-uses": records.ApiKeyUse(key_id="key_1", last_used_at_ms=2),
    "templates": records.Template(project_id="proj_1", wishes="{}"),
    "claims": records.Claim(
        project_id="proj_1", session_id="app_contract", kind=records.ClaimKind.CLAIMED, request_id="r", limit=3
    ),
    "dead-letters": records.DeadLetter(
        topic="t", partition=0, offset=1, reason="r", length=1, sha256="0", data=b"\xff"
    ),
}


def test_there_is_an_example_for_every_topic():
    assert set(EXAMPLES) == set(topics.BY_NAME)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_stock_consumer_reads_every_topic(name, topics_ready):
    settings = KafkaSettings(
        bootstrap_servers=topics_ready["RTMS_KAFKA_BOOTSTRAP_SERVERS"],
        registry_url=topics_ready["RTMS_KAFKA_REGISTRY_URL"],
    )
    topic, key = topics.BY_NAME[name], uuid.uuid4().hex.encode()
    producer = create_producer(settings, CONTROL)
    try:
        offset = producer.send_blocking(topic, key, load_codec(settings).encode(topic, EXAMPLES[name]), 0)
    finally:
        producer.close()
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": "contract"})
    try:
        consumer.assign([TopicPartition(name, 0, offset)])
        message = consumer.poll(PATIENCE_S)
    finally:
        consumer.close()
    assert message is not None
    assert (message.error(), message.key()) == (None, key)
    with SchemaRegistryClient({"url": settings.registry_url}) as client:
        deserialise = AvroDeserializer(client)
        value = deserialise(message.value(), SerializationContext(name, MessageField.VALUE))
    assert value == _plain(EXAMPLES[name])


def _plain(value):
    """What a dictionary of the record looks like to somebody without our classes."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
