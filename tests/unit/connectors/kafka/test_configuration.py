"""What the builders produce is what librdkafka takes, and what the measurements asked for."""

from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from connectors.kafka.group_config import group_config
from connectors.kafka.producer import CONTROL, MEDIA, SEGMENTS, TEXT, VIDEO, Profile, producer_config
from connectors.kafka.reader import reader_config
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactions import transactional_config
from schemas.topics import MAX_RECORD_BYTES

NOWHERE = KafkaSettings(bootstrap_servers="127.0.0.1:1")


@pytest.mark.parametrize("profile", [MEDIA, VIDEO, SEGMENTS, TEXT, CONTROL], ids=lambda profile: profile.name)
def test_producers_are_idempotent_and_take_the_largest_record(profile: Profile) -> None:
    config = producer_config(NOWHERE, profile)
    assert config["enable.idempotence"] is True
    assert config["acks"] == "all"
    assert config["message.max.bytes"] > MAX_RECORD_BYTES
    assert config["queue.buffering.max.kbytes"] * 1024 > 2 * MAX_RECORD_BYTES
    Producer(config | {"log_level": 0}, logger=_silent())


def test_only_text_is_compressed_and_only_in_what_every_client_reads() -> None:
    assert producer_config(NOWHERE, MEDIA)["compression.type"] == "none"
    assert producer_config(NOWHERE, VIDEO)["compression.type"] == "none"
    assert producer_config(NOWHERE, SEGMENTS)["compression.type"] == "none"
    assert producer_config(NOWHERE, TEXT)["compression.type"] == "gzip"


def test_a_control_record_does_not_linger() -> None:
    assert producer_config(NOWHERE, CONTROL)["linger.ms"] == 0


def test_reports_are_gathered_only_where_nobody_waits_for_one() -> None:
    assert MEDIA.gather_reports_ms
    assert VIDEO.gather_reports_ms
    assert not any(profile.gather_reports_ms for profile in (SEGMENTS, TEXT, CONTROL))


def test_dynamic_members_leave_the_session_to_the_broker() -> None:
    config = group_config(NOWHERE, "g")
    assert config["group.protocol"] == "consumer"
    assert not {"session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"} & config.keys()
    _accepted(config)


def test_classic_members_are_cooperative() -> None:
    config = group_config(NOWHERE.model_copy(update={"group_protocol": "classic"}), "g")
    assert config["partition.assignment.strategy"] == "cooperative-sticky"
    assert config["session.timeout.ms"] == 8000
    _accepted(config)


def test_static_members_are_classic_whatever_the_setting() -> None:
    config = group_config(NOWHERE, "g", instance_id="lifecycle-0")
    assert config["group.protocol"] == "classic"
    assert config["group.instance.id"] == config["client.id"] == "lifecycle-0"
    _accepted(config)


def test_nothing_is_committed_or_reset_by_itself() -> None:
    for config in (group_config(NOWHERE, "g"), group_config(NOWHERE, "g", "i"), reader_config(NOWHERE)):
        assert config["enable.auto.commit"] is False
        assert config["auto.offset.reset"] == "error"
        assert config["isolation.level"] == "read_committed"


def test_readers_are_accepted() -> None:
    _accepted(reader_config(NOWHERE))


def test_a_transaction_ends_before_a_session_does() -> None:
    config = transactional_config(NOWHERE, "lifecycle-0")
    assert config["transaction.timeout.ms"] < NOWHERE.session_timeout_ms
    assert config["delivery.timeout.ms"] < config["transaction.timeout.ms"], "time to undo it before somebody else does"
    assert config["retry.backoff.ms"] == 5
    Producer(config | {"log_level": 0}, logger=_silent())


def _accepted(config: dict[str, Any]) -> None:
    Consumer(config | {"log_level": 0}, logger=_silent()).close()


def _silent() -> Any:
    import logging

    logger = logging.getLogger("silent")
    logger.disabled = True
    return logger
