"""What is decided about topics, without a cluster."""

import pytest

from connectors.kafka.errors import Misconfigured
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import (
    Existing,
    Status,
    finding,
    longest_kept_ms,
    refuse_wrong_partitions,
    topic_config,
)
from schemas.topics import (
    ALL,
    APP_SESSIONS,
    AUDIO,
    CONTROL_PLANE_TOPICS,
    MAX_RECORD_BYTES,
    SESSION_CHANGES,
    SESSION_FACTS,
    TRANSCRIPTS,
    Topic,
)

SETTINGS = KafkaSettings(partitions=8)


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_every_topic_is_stamped_by_the_broker_and_takes_the_largest_record(topic: Topic) -> None:
    config = topic_config(topic, SETTINGS)
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert int(config["max.message.bytes"]) > MAX_RECORD_BYTES
    assert 0 < int(config["segment.ms"]) <= 3_600_000


def test_facts_and_changes_are_never_compacted_and_states_never_deleted() -> None:
    assert topic_config(SESSION_FACTS, SETTINGS)["cleanup.policy"] == "delete"
    assert topic_config(SESSION_CHANGES, SETTINGS)["cleanup.policy"] == "delete"
    for topic in (APP_SESSIONS, *CONTROL_PLANE_TOPICS):
        config = topic_config(topic, SETTINGS)
        assert (config["cleanup.policy"], config["retention.ms"]) == ("compact", "-1")


def test_media_retention_is_a_setting_for_media_only() -> None:
    settings = KafkaSettings(media_retention_ms=600_000)
    assert topic_config(AUDIO, settings)["retention.ms"] == "600000"
    assert topic_config(AUDIO, settings)["segment.ms"] == "300000"
    assert topic_config(TRANSCRIPTS, settings) == topic_config(TRANSCRIPTS, KafkaSettings())


def test_a_record_is_gone_when_its_segment_is_too_old_and_the_broker_has_looked() -> None:
    hours = 3_600_000
    assert longest_kept_ms(AUDIO, SETTINGS) == 24 * hours + 1 * hours + 6 * 60_000
    assert longest_kept_ms(AUDIO, KafkaSettings(media_retention_ms=hours)) == hours + hours // 2 + 6 * 60_000
    assert longest_kept_ms(APP_SESSIONS, SETTINGS) is None


def test_a_missing_topic_is_to_be_made_with_everything() -> None:
    found = finding(AUDIO, None, SETTINGS)
    assert (found.status, found.partitions) == (Status.MISSING, 8)
    assert found.changes == topic_config(AUDIO, SETTINGS)


def test_a_right_topic_needs_nothing_and_other_values_are_left_alone() -> None:
    existing = Existing(8, topic_config(AUDIO, SETTINGS) | {"flush.ms": "1"})
    assert finding(AUDIO, existing, SETTINGS).status is Status.OK


def test_only_what_differs_is_changed() -> None:
    existing = Existing(8, topic_config(AUDIO, SETTINGS) | {"retention.ms": "1"})
    found = finding(AUDIO, existing, SETTINGS)
    assert found.status is Status.DIFFERENT
    assert found.changes == {"retention.ms": "86400000"}


def test_another_partition_count_is_refused_with_the_way_out() -> None:
    found = finding(AUDIO, Existing(16, {}), SETTINGS)
    assert found.status is Status.WRONG_PARTITIONS
    with pytest.raises(Misconfigured, match="rtms.audio 16 instead of 8") as error:
        refuse_wrong_partitions([found], SETTINGS)
    assert "RTMS_KAFKA_PARTITIONS" in str(error.value)


def test_control_plane_topics_have_one_partition_whatever_the_count() -> None:
    for topic in CONTROL_PLANE_TOPICS:
        assert finding(topic, Existing(1, topic_config(topic, SETTINGS)), SETTINGS).status is Status.OK
