"""The chart's files/topics.yaml: every topic with its configuration, for clusters whose operator makes the topics."""

from __future__ import annotations

import yaml

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import topic_config
from schemas.topics import ALL, MEDIA_TOPICS, RECORDING_SEGMENTS

_HEAD = """\
# Made by `make made` from schemas/topics.py. `media` topics keep records for config.kafka.media_retention_ms where
# that is said; min.insync.replicas follows from the values.
"""


def document() -> str:
    """The whole file."""
    unsaid = KafkaSettings.model_construct()
    table = [
        {
            "name": topic.name,
            "perSession": topic.per_session,
            "media": topic in (*MEDIA_TOPICS, RECORDING_SEGMENTS),
            "config": {k: v for k, v in topic_config(topic, unsaid).items() if k != "min.insync.replicas"},
        }
        for topic in ALL
    ]
    return _HEAD + str(yaml.safe_dump(table, sort_keys=False))
