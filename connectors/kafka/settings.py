"""How Kafka and the schema registry are reached; one class for every process, read from `RTMS_KAFKA_*`."""

from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import Topic


class KafkaSettings(BaseSettings):
    """Addresses, security and the two counts that must agree everywhere (partitions, replication)."""

    model_config = SettingsConfigDict(env_prefix="RTMS_KAFKA_")

    bootstrap_servers: str = Field(default="127.0.0.1:9092", description="brokers, as host:port, separated by commas")
    registry_url: str = Field(
        default="http://127.0.0.1:8081", description="of a schema registry that speaks Confluent's REST contract"
    )
    registry_username: str = Field(default="", description="for the registry; empty: it asks for none")
    registry_password: SecretStr = Field(default=SecretStr(""), description="for the registry")

    partitions: int = Field(default=64, ge=1, description="of every session topic; fixed for good at the first start")
    replication_factor: int = Field(default=1, ge=1, description="of every topic, when it is created")
    min_insync_replicas: int | None = Field(
        default=None, ge=1, description="of every topic; otherwise the replication factor - 1, at least 1"
    )
    media_retention_ms: int | None = Field(
        default=None, ge=60_000, description="of the media topics, instead of their own day"
    )

    client_id: str = Field(default="", description="fixed and distinct per process, e.g. the pod's name")
    group_protocol: Literal["consumer", "classic"] = Field(
        default="consumer", description="for dynamic members; classic where the broker lacks KIP-848"
    )
    session_timeout_ms: int = Field(
        default=8_000, ge=1_000, description="of a silent member in classic groups; else the broker decides"
    )
    heartbeat_interval_ms: int = Field(
        default=2_000, ge=100, description="between two signs of life in classic groups; else the broker decides"
    )
    max_poll_interval_ms: int = Field(
        default=60_000, ge=1_000, description="after which a member that does not read loses its partitions"
    )

    queue_kbytes: int = Field(default=65_536, ge=32_768, description="librdkafka's send queue; ours stand before it")
    delivery_timeout_ms: int = Field(default=120_000, ge=1_000, description="for Kafka to take a record")
    transaction_timeout_ms: int = Field(
        default=5_000, ge=1_000, description="of a transaction whose process has died; less than the session's time-out"
    )

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how the brokers are talked to"
    )
    sasl_mechanism: str = Field(default="", description="with SASL, e.g. SCRAM-SHA-512")
    sasl_username: str = Field(default="", description="with SASL")
    sasl_password: SecretStr = Field(default=SecretStr(""), description="with SASL")
    ssl_ca_location: str = Field(default="", description="a file with the brokers' authorities; empty: the system's")

    @field_validator("bootstrap_servers")
    @classmethod
    def _addresses(cls, servers: str) -> str:
        for server in servers.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError("must be host:port, or several separated by commas")
        return servers

    @field_validator("registry_url")
    @classmethod
    def _http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address like http://host:8081")
        if parts.username or parts.password:
            raise ValueError("must name nobody: RTMS_KAFKA_REGISTRY_USERNAME and RTMS_KAFKA_REGISTRY_PASSWORD do")
        return url

    @field_validator("ssl_ca_location")
    @classmethod
    def _readable(cls, location: str) -> str:
        if location and not Path(location).exists():
            raise ValueError("must be a file or folder that exists")
        return location

    @model_validator(mode="after")
    def _whole_sasl(self) -> Self:
        if self.security_protocol.startswith("SASL") and not self.sasl_mechanism:
            raise ValueError(
                "RTMS_KAFKA_SASL_MECHANISM is not set: RTMS_KAFKA_SECURITY_PROTOCOL asks for SASL, "
                "so set it, e.g. to SCRAM-SHA-512, with RTMS_KAFKA_SASL_USERNAME and RTMS_KAFKA_SASL_PASSWORD"
            )
        return self

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
