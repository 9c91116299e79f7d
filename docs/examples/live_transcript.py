"""Prints what is being said, read straight from Kafka with Confluent's own client: docs/consuming.md has the rules.

    pip install 'confluent-kafka[avro,schemaregistry]'
    python live_transcript.py --brokers localhost:9092 --registry http://localhost:8081

Without --session it prints all sessions, for ever; with it that session from its first word to its last, and ends.
"""

import argparse
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOPIC = "transcripts"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", default="localhost:9092")
    parser.add_argument("--registry", default="http://localhost:8081")
    parser.add_argument(
        "--group", default="live-transcript-example", help="who reads: its place is kept under this name"
    )
    parser.add_argument("--session", help="an app_… id; others are passed over")
    return parser.parse_args()


def values(consumer: Consumer, decode: AvroDeserializer) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Keys and values, one after the other; a value is None where a record was deleted.

    A place is stored when the next record is asked for, so a record that was being worked on in a crash comes again.
    """
    context = SerializationContext(TOPIC, MessageField.VALUE)
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        yield message.key().decode(), decode(message.value(), context)
        consumer.store_offsets(message)


def main() -> None:
    asked = options()
    consumer = Consumer(
        {
            "bootstrap.servers": asked.brokers,
            "group.id": asked.group,
            "auto.offset.reset": "earliest",  # of a group that has no place yet
            "enable.auto.offset.store": False,  # what was not worked on is read again
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([TOPIC])
    decode = AvroDeserializer(SchemaRegistryClient({"url": asked.registry}))
    newest: dict[str, int] = {}
    try:
        for key, utterance in values(consumer, decode):
            session_id, _, item = key.partition("|")
            if asked.session not in (None, session_id):
                continue
            if utterance is None:
                print(f"{session_id} {item} deleted", flush=True)
            elif utterance["kind"] == "end":
                print(f"{session_id} end", flush=True)
                if asked.session:
                    return
            elif utterance["kind"] == "item" and utterance["status"] == "final":  # a kind of a later release: pass over
                revision = utterance["revision"]
                if revision <= newest.get(utterance["utterance_id"], 0):
                    continue  # written again after a crash
                newest[utterance["utterance_id"]] = revision
                print(f"{session_id} {utterance['participant_name'] or '?'}: {utterance['text']}", flush=True)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
