"""librdkafka's configuration of a group member. Pure."""

from typing import Any

from connectors.kafka.connection import FETCH_WAIT_MS
from connectors.kafka.settings import KafkaSettings


def group_config(settings: KafkaSettings, group: str, instance_id: str | None = None) -> dict[str, Any]:
    """A dynamic member's; a static one's where it has a name of its own (`instance_id`)."""
    config = settings.client_config() | {
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "fetch.wait.max.ms": FETCH_WAIT_MS,
        "max.poll.interval.ms": settings.max_poll_interval_ms,
    }
    if instance_id is None and settings.group_protocol == "consumer":
        # Session, heartbeat and assignor are the broker's then; naming them here is refused.
        return config | {"group.protocol": "consumer"}
    config |= {
        "group.protocol": "classic",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_interval_ms,
    }
    return config | ({"group.instance.id": instance_id, "client.id": instance_id} if instance_id else {})
