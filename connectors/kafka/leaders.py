"""Asks a cluster which partitions could be written to now, by a client made for the question.

A client that exists already may be the one that has lost them.
"""

from collections.abc import Collection
from contextlib import suppress

from confluent_kafka import OFFSET_INVALID, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from connectors.kafka.records import Place
from connectors.kafka.settings import KafkaSettings

TIMEOUT_S = 5.0


def led(settings: KafkaSettings, places: Collection[Place]) -> frozenset[Place]:
    """Those of `places` that have enough replicas in sync and a leader that answers. Blocks for some seconds."""
    admin, found = AdminClient(settings.admin_config()), set[Place]()
    for topic in {place.topic for place in places}:
        with suppress(KafkaException):
            partitions = admin.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
            found |= {
                Place(topic, number)
                for number, one in partitions.items()
                if one.error is None and one.leader >= 0 and len(one.isrs) >= settings.insync_replicas()
            }
    wanted = {TopicPartition(*place): OffsetSpec.latest() for place in found.intersection(places)}  # type: ignore[no-untyped-call]
    return _answered(admin, wanted)


def _answered(admin: AdminClient, wanted: dict[TopicPartition, OffsetSpec]) -> frozenset[Place]:
    """Only a leader tells where a partition ends: metadata may name one that is gone."""
    answered = set[Place]()
    if not wanted:
        return frozenset()
    for one, answer in admin.list_offsets(wanted, request_timeout=TIMEOUT_S).items():
        with suppress(KafkaException, TimeoutError):
            if answer.result(2 * TIMEOUT_S).offset != OFFSET_INVALID:  # as it is, with no error, of who is coming up
                answered.add(Place(one.topic, one.partition))
    return frozenset(answered)
