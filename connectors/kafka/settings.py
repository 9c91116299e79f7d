"""How Kafka and the schema registry are reached; one class for every process, read from `RTMS_KAFKA_*`."""

from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import Topic


class KafkaSettings(BaseSettings):
    """Addresses, security and the two counts that must agree everywhere (partitions, replication)."""

    model_config = SettingsConfigDict(env_prefix="RTMS_KAFKA_")

    bootstrap_servers: str = "127.0.0.1:9092"
    registry_url: str = "http://127.0.0.1:8081"
    registry_username: str = ""
    registry_password: SecretStr = SecretStr("")

    partitions: int = Field(default=64, ge=1, description="of every session topic; fixed for good at the first start")
    replication_factor: int = Field(default=1, ge=1)
    min_insync_replicas: int | None = Field(default=None, ge=1, description="default: replication factor - 1, min 1")
    media_retention_ms: int | None = Field(default=None, ge=60_000, description="instead of the topics' own day")

    client_id: str = Field(default="", description="fixed and distinct per process, e.g. the pod's name")
    group_protocol: Literal["consumer", "classic"] = Field(
        default="consumer", description="for dynamic members; classic where the broker lacks KIP-848"
    )
    session_timeout_ms: int = Field(default=8_000, ge=1_000, description="classic groups; else the broker decides")
    heartbeat_interval_ms: int = Field(default=2_000, ge=100)
    max_poll_interval_ms: int = Field(default=60_000, ge=1_000)

    queue_kbytes: int = Field(default=65_536, ge=32_768, description="librdkafka's send queue; ours stand before it")
    delivery_timeout_ms: int = Field(default=120_000, ge=1_000)
    transaction_timeout_ms: int = Field(default=5_000, ge=1_000, description="less than the session's time-out")

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: str = ""
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ssl_ca_location: str = ""

    def partition_count(self, topic: Topic) -> int:
        """How many partitions `topic` has: the common count for what belongs to sessions, else one."""
        return self.partitions if topic.per_session else 1

    def insync_replicas(self) -> int:
        """`min.insync.replicas` of every topic: one replica may be away, if there is more than one."""
        return self.min_insync_replicas or max(1, self.replication_factor - 1)

    def client_config(self) -> dict[str, Any]:
        """What every client of this process shares, in librdkafka's names."""
        config: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            # The default of 10 s is longer than a session: a static member would lose its place in an outage.
            "reconnect.backoff.max.ms": 1_000,
        }
        if self.client_id:
            config["client.id"] = self.client_id
        if self.security_protocol.startswith("SASL"):
            config["sasl.mechanism"] = self.sasl_mechanism
            config["sasl.username"] = self.sasl_username
            config["sasl.password"] = self.sasl_password.get_secret_value()
        if self.ssl_ca_location:
            config["ssl.ca.location"] = self.ssl_ca_location
        return config

    def admin_config(self) -> dict[str, Any]:
        """For clients that only ask: silent, because nobody polls them and what fails is in the answer."""
        return self.client_config() | {"log_level": 0}
