"""Settings objects for tests that talk to the session's stack in-process."""

from connectors.kafka.settings import KafkaSettings


def kafka_settings(env: dict[str, str], **changes: object) -> KafkaSettings:
    """The settings a process with this environment would have."""
    return KafkaSettings(
        bootstrap_servers=env["RTMS_KAFKA_BOOTSTRAP_SERVERS"],
        registry_url=env["RTMS_KAFKA_REGISTRY_URL"],
        partitions=int(env["RTMS_KAFKA_PARTITIONS"]),
        **changes,
    )
