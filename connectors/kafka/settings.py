"""How Kafka and the schema registry are reached; one class for every process, read from `RTMS_KAFKA_*`."""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import Topic

OAUTH = "OAUTHBEARER"


class KafkaSettings(BaseSettings):
    """Addresses, security and the two counts that must agree everywhere (partitions, replication)."""

    model_config = SettingsConfigDict(env_prefix="RTMS_KAFKA_")

    bootstrap_servers: str = Field(default="127.0.0.1:9092", description="host:port, several separated by commas")
    registry_url: str = Field(default="http://127.0.0.1:8081", description="of the schema registry")
    registry_username: str = Field(default="", description="for HTTP basic authentication; empty: none")
    registry_password: SecretStr = SecretStr("")
    registry_ca_location: str = Field(default="", description="file of the authorities that the registry is checked by")

    partitions: int = Field(default=64, ge=1, description="of every session topic; fixed for good at the first start")
    replication_factor: int = Field(default=1, ge=1, description="of every topic; 3 wherever it matters")
    min_insync_replicas: int | None = Field(default=None, ge=1, description="default: replication factor - 1, min 1")
    media_retention_ms: int | None = Field(default=None, ge=60_000, description="instead of the topics' own day")

    client_id: str = Field(default="", description="fixed and distinct per process, e.g. the pod's name")
    group_protocol: Literal["consumer", "classic"] = Field(
        default="consumer", description="for dynamic members; classic where the broker lacks KIP-848"
    )
    session_timeout_ms: int = Field(default=8_000, ge=1_000, description="classic groups; else the broker decides")
    heartbeat_interval_ms: int = Field(default=2_000, ge=100, description="classic groups, as above")
    max_poll_interval_ms: int = Field(default=60_000, ge=1_000, description="a member that is busy longer is given up")

    queue_kbytes: int = Field(default=65_536, ge=32_768, description="librdkafka's send queue; ours stand before it")
    delivery_timeout_ms: int = Field(default=120_000, ge=1_000, description="after this a record counts as not sent")
    transaction_timeout_ms: int = Field(default=5_000, ge=1_000, description="less than the session's time-out")

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_ca_location: str = Field(default="", description="file of the brokers' authorities; empty: the system's")
    ssl_certificate_location: str = Field(default="", description="file of our own certificate, for mutual TLS")
    ssl_key_location: str = Field(default="", description="file of its private key")
    ssl_key_password: SecretStr = SecretStr("")
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = ""
    sasl_username: str = Field(default="", description="for PLAIN and SCRAM")
    sasl_password: SecretStr = SecretStr("")
    oauth_token_url: str = Field(default="", description="OAUTHBEARER: where a client's credentials get a token")
    oauth_client_id: str = ""
    oauth_client_secret: SecretStr = SecretStr("")
    oauth_scope: str = Field(default="", description="asked for with the token; empty: none")
    oauth_ca_location: str = Field(default="", description="file of the token server's authorities")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        """What contradicts itself, each with its remedy and without a value."""
        if (self.min_insync_replicas or 1) > self.replication_factor:
            yield "min_insync_replicas is more than replication_factor: nothing could ever be written; lower it"
        if self.is_sasl and not self.sasl_mechanism:
            yield "security_protocol says SASL: set sasl_mechanism"
        if self.sasl_mechanism and not self.is_sasl:
            yield "sasl_mechanism is set: set security_protocol to SASL_SSL (or SASL_PLAINTEXT)"
        if self.is_sasl and self.sasl_mechanism != OAUTH and not self.sasl_username:
            yield "PLAIN and SCRAM need sasl_username and sasl_password"
        if self.sasl_mechanism == OAUTH and not (self.oauth_token_url and self.oauth_client_id):
            yield "OAUTHBEARER needs oauth_token_url, oauth_client_id and oauth_client_secret"
        if bool(self.ssl_certificate_location) != bool(self.ssl_key_location):
            yield "mutual TLS needs both ssl_certificate_location and ssl_key_location"
        if (self.ssl_ca_location or self.ssl_certificate_location) and not self.is_encrypted:
            yield "certificates are set: set security_protocol to SSL or SASL_SSL"

    @property
    def is_sasl(self) -> bool:
        """Whether the connection itself says who we are."""
        return self.security_protocol.startswith("SASL")

    @property
    def is_encrypted(self) -> bool:
        """Whether brokers are reached by TLS."""
        return self.security_protocol.endswith("SSL")

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
        return config | self._tls_config() | self._sasl_config()

    def _tls_config(self) -> dict[str, Any]:
        files = {
            "ssl.ca.location": self.ssl_ca_location,
            "ssl.certificate.location": self.ssl_certificate_location,
            "ssl.key.location": self.ssl_key_location,
            "ssl.key.password": self.ssl_key_password.get_secret_value(),
        }
        return {name: value for name, value in files.items() if value and self.is_encrypted}

    def _sasl_config(self) -> dict[str, Any]:
        if not self.is_sasl:
            return {}
        if self.sasl_mechanism != OAUTH:
            return {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.sasl_username,
                "sasl.password": self.sasl_password.get_secret_value(),
            }
        optional = {"sasl.oauthbearer.scope": self.oauth_scope, "https.ca.location": self.oauth_ca_location}
        return {
            "sasl.mechanism": OAUTH,
            # The library asks for tokens itself, from a thread of its own: no client has to be polled for it.
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.token.endpoint.url": self.oauth_token_url,
            "sasl.oauthbearer.client.id": self.oauth_client_id,
            "sasl.oauthbearer.client.secret": self.oauth_client_secret.get_secret_value(),
            **{name: value for name, value in optional.items() if value},
        }

    def admin_config(self) -> dict[str, Any]:
        """For clients that only ask: silent, because nobody polls them and what fails is in the answer."""
        return self.client_config() | {"log_level": 0}
