"""Writes docs/asyncapi.json, the topics that may be read directly, from `schemas`: `python -m scripts.asyncapi`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas import topics
from schemas.codec import schema_text
from schemas.topics import Cleanup, Topic

TARGET = Path(__file__).parents[1] / "docs" / "asyncapi.json"

READABLE = (
    *topics.MEDIA_TOPICS,
    topics.TRANSCRIPTS,
    topics.TRANSCRIPT_PARTIALS,
    topics.PARTICIPANT_EVENTS,
    topics.RECORDING_SEGMENTS,
    topics.SESSION_CHANGES,
    topics.APP_SESSIONS,
)
"""All others are for the services among themselves."""

BINDING = "0.5.0"
CONTENT_TYPE = "application/vnd.apache.avro"
SCHEMA_FORMAT = f"{CONTENT_TYPE};version=1.9.0"

DESCRIPTION = (
    "Everything that is known about a session of Zoom RTMS, as Kafka topics. consuming.md has the rules for keys, "
    "order, epochs, revisions, ends and the evolution of schemas. Whoever reads here sees all projects: it is for the "
    "operator of an installation."
)


def document() -> str:
    """The whole file."""
    return json.dumps(_document(), indent=2, ensure_ascii=False) + "\n"


def _document() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "rtms-pipeline",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic) for topic in READABLE},
        "operations": {f"write {topic.name}": _operation(topic) for topic in READABLE},
        "components": {"messages": {topic.name: _message(topic) for topic in READABLE}},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": topic.cleanup.value.split(",")}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "messages": {topic.name: {"$ref": f"#/components/messages/{topic.name}"}},
        "bindings": {"kafka": {"topicConfiguration": configuration, "bindingVersion": BINDING}},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{topic.name}"}],
    }


def _message(topic: Topic) -> dict[str, Any]:
    schema = json.loads(schema_text(topic.schema))
    has_items = topic.cleanup is Cleanup.COMPACT_DELETE
    return {
        "name": f"{schema['namespace']}.{schema['name']}",
        "summary": schema["doc"],
        "contentType": CONTENT_TYPE,
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": schema},
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "description": "session id|item id" if has_items else "session id",
                },
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "schemaLookupStrategy": "TopicNameStrategy",
                "bindingVersion": BINDING,
            }
        },
    }


if __name__ == "__main__":
    TARGET.write_text(document())
