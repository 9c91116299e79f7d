"""Creates the topics of `schemas.topics` and holds existing ones to it: `python -m connectors.kafka topics`.

Nothing creates a topic by using it. What can be put right on a living topic is put right (retention, clean-up, sizes);
a partition count cannot, because sessions would move and lose their order, so a difference is refused with the
procedure. `plan` decides, `TopicAdmin` does.
"""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from confluent_kafka import KafkaError as LibraryError
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from connectors.kafka.errors import Misconfigured, TimedOut, translate
from connectors.kafka.settings import KafkaSettings
from schemas.topics import HOUR_MS, MAX_BATCH_BYTES, MEDIA_TOPICS, RECORDING_SEGMENTS, Cleanup, Topic

_TIMEOUT_S = 30.0
_LEADER_TRIES = 300
_Key = TypeVar("_Key")

BROKER_LOOKS_MS = 6 * 60_000
"""Brokers look for what is too old every five minutes and remove its files one minute later, as they come."""

PROCEDURE = (
    "A partition count is for good, because a session's records would no longer be in one place. Either set"
    " RTMS_KAFKA_PARTITIONS to the count that exists, or move: stop the API's intake, let all sessions end and the"
    " sinks catch up (lag 0), stop all services, delete the session topics and the consumer groups, run this command"
    " with the new count, start again."
)


class Status(StrEnum):
    """What a topic needs, or what was done about it."""

    OK = "ok"
    MISSING = "missing"
    DIFFERENT = "different"
    WRONG_PARTITIONS = "wrong partitions"
    CREATED = "created"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Existing:
    """A topic as the cluster has it."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One topic compared with what it should be; `changes` are the configuration values to set."""

    topic: Topic
    partitions: int
    status: Status
    changes: Mapping[str, str]


def topic_config(topic: Topic, settings: KafkaSettings) -> dict[str, str]:
    """The configuration `topic` must have, in Kafka's names."""
    retention_ms = topic.retention_ms
    if settings.media_retention_ms is not None and topic in (*MEDIA_TOPICS, RECORDING_SEGMENTS):
        retention_ms = settings.media_retention_ms
    config = {
        "cleanup.policy": topic.cleanup.value,
        "max.message.bytes": str(MAX_BATCH_BYTES),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(settings.insync_replicas()),
        # Only closed segments are ever deleted or compacted: what must go has to be in one soon.
        "segment.ms": str(min(HOUR_MS, (retention_ms or HOUR_MS) // 2)),
        "retention.ms": str(-1 if retention_ms is None else retention_ms),
    }
    if topic.cleanup is not Cleanup.DELETE:
        config |= {"min.cleanable.dirty.ratio": "0.2", "max.compaction.lag.ms": str(24 * HOUR_MS)}
    return config


def longest_kept_ms(topic: Topic, settings: KafkaSettings) -> int | None:
    """How long after it was written a record can be on a broker's disk; None where nothing goes by its age.

    Kafka deletes whole segments, by their newest record, when it next looks.
    """
    config = topic_config(topic, settings)
    retention_ms = int(config["retention.ms"])
    return None if retention_ms < 0 else retention_ms + int(config["segment.ms"]) + BROKER_LOOKS_MS


def finding(topic: Topic, existing: Existing | None, settings: KafkaSettings) -> Finding:
    """Compare one topic; pure."""
    wanted = topic_config(topic, settings)
    partitions = settings.partition_count(topic)
    if existing is None:
        return Finding(topic, partitions, Status.MISSING, wanted)
    if existing.partitions != partitions:
        return Finding(topic, existing.partitions, Status.WRONG_PARTITIONS, {})
    changes = {name: value for name, value in wanted.items() if existing.config.get(name) != value}
    return Finding(topic, partitions, Status.DIFFERENT if changes else Status.OK, changes)


def refuse_wrong_partitions(findings: Iterable[Finding], settings: KafkaSettings) -> None:
    """Raise Misconfigured when any topic has another partition count than the settings say."""
    wrong = [found for found in findings if found.status is Status.WRONG_PARTITIONS]
    if wrong:
        listed = ", ".join(
            f"{found.topic.name} {found.partitions} instead of {settings.partition_count(found.topic)}"
            for found in wrong
        )
        raise Misconfigured(f"topics with another partition count than the settings: {listed}. {PROCEDURE}")


class TopicAdmin:
    """Looks at the cluster's topics and changes them."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin = AdminClient(settings.admin_config())

    def inspect(self, topics: Iterable[Topic]) -> list[Finding]:
        """Every topic compared with what it should be."""
        existing = self._existing([topic.name for topic in topics])
        return [finding(topic, existing.get(topic.name), self._settings) for topic in topics]

    def apply(self, findings: Iterable[Finding]) -> list[Finding]:
        """Create what is missing, put right what differs; the findings as they are now. Raises Misconfigured."""
        findings = list(findings)
        refuse_wrong_partitions(findings, self._settings)
        self._create([found for found in findings if found.status is Status.MISSING])
        self._correct([found for found in findings if found.status is Status.DIFFERENT])
        done = {Status.MISSING: Status.CREATED, Status.DIFFERENT: Status.CORRECTED}
        return [
            Finding(found.topic, found.partitions, done.get(found.status, found.status), found.changes)
            for found in findings
        ]

    def _existing(self, names: list[str]) -> dict[str, Existing]:
        metadata = self._metadata()
        counts = {name: len(metadata[name].partitions) for name in names if name in metadata}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in counts]
        configs = self._results(self._admin.describe_configs(resources)) if resources else {}
        return {
            resource.name: Existing(counts[resource.name], {name: entry.value for name, entry in config.items()})
            for resource, config in configs.items()
        }

    def _metadata(self) -> Mapping[str, TopicMetadata]:
        try:
            return self._admin.list_topics(timeout=_TIMEOUT_S).topics
        except KafkaException as error:
            raise translate(error) from error

    def _create(self, missing: list[Finding]) -> None:
        if missing:
            replicas = self._settings.replication_factor
            new = [NewTopic(f.topic.name, f.partitions, replicas, config=dict(f.changes)) for f in missing]
            self._results(self._admin.create_topics(new), tolerated=LibraryError.TOPIC_ALREADY_EXISTS)
            self._await_leaders({found.topic.name for found in missing})

    def _await_leaders(self, names: set[str]) -> None:
        """Return when every partition can be written to; a topic is made before its partitions are led."""
        for _ in range(_LEADER_TRIES):
            known = self._metadata()
            leaders = [p.leader for name in names & known.keys() for p in known[name].partitions.values()]
            if names <= known.keys() and leaders and min(leaders) >= 0:
                return
            time.sleep(0.1)
        raise TimedOut("new topics have no leaders yet")

    def _correct(self, different: list[Finding]) -> None:
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                found.topic.name,
                incremental_configs=[
                    ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                    for name, value in found.changes.items()
                ],
            )
            for found in different
        ]
        if resources:
            self._results(self._admin.incremental_alter_configs(resources))

    @staticmethod
    def _results(futures: Mapping[_Key, "Future[Any]"], tolerated: int | None = None) -> dict[_Key, Any]:
        results: dict[_Key, Any] = {}
        for key, future in futures.items():
            try:
                results[key] = future.result(_TIMEOUT_S)
            except KafkaException as error:
                if error.args[0].code() != tolerated:
                    raise translate(error) from error
            except FutureTimeoutError:
                raise TimedOut("no answer about topics within half a minute") from None
        return results
