"""How Kafka and the schema registry are reached; one class for every process, read from `RTMS_KAFKA_*`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.host.addresses import http_address
from schemas.topics import Topic

OAUTH = "OAUTHBEARER"


class KafkaSettings(BaseSettings):
    """Addresses, security and the two counts that must agree everywhere (partitions, replication)."""

    model_config = SettingsConfigDict(env_prefix="RTMS_KAFKA_")

    bootstrap_servers: str = Field(default="127.0.0.1:9092", description="brokers, as host:port, separated by commas")
    registry_url: str = Field(
        default="http://127.0.0.1:8081", description="of a schema registry that speaks Confluent's REST contract"
    )
    registry_username: str = Field(default="", description="for the registry; empty: it asks for none")
    registry_password: SecretStr = Field(default=SecretStr(""), description="for the registry")
    registry_ca_location: str = Field(
        default="", description="a file with the registry's authorities; empty: the system's"
    )

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
    ssl_ca_location: str = Field(default="", description="a file with the brokers' authorities; empty: the system's")
    ssl_certificate_location: str = Field(default="", description="a file with our own certificate, for mutual TLS")
    ssl_key_location: str = Field(default="", description="a file with its private key")
    ssl_key_password: SecretStr = Field(default=SecretStr(""), description="of that file; empty: it has none")
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        default="", description="with SASL, e.g. SCRAM-SHA-512"
    )
    sasl_username: str = Field(default="", description="for PLAIN and SCRAM")
    sasl_password: SecretStr = Field(default=SecretStr(""), description="for PLAIN and SCRAM")
    oauth_token_url: str = Field(default="", description="OAUTHBEARER: where a client's credentials get a token")
    oauth_client_id: str = Field(default="", description="OAUTHBEARER: who asks for tokens")
    oauth_client_secret: SecretStr = Field(default=SecretStr(""), description="OAUTHBEARER: its secret")
    oauth_scope: str = Field(default="", description="OAUTHBEARER: asked for with the token; empty: none")
    oauth_ca_location: str = Field(default="", description="a file with the token server's authorities")

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
        return http_address(url, "http://host:8081", "RTMS_KAFKA_REGISTRY_USERNAME and RTMS_KAFKA_REGISTRY_PASSWORD")

    @field_validator(
        "registry_ca_location", "ssl_ca_location", "ssl_certificate_location", "ssl_key_location", "oauth_ca_location"
    )
    @classmethod
    def _readable(cls, location: str) -> str:
        if location and not Path(location).exists():
            raise ValueError("must be a file or folder that exists")
        return location

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if problems := list(self._problems()):
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        """What contradicts itself, each with its remedy and without a value."""
        if (self.min_insync_replicas or 1) > self.replication_factor:
            yield (
                "RTMS_KAFKA_MIN_INSYNC_REPLICAS is more than RTMS_KAFKA_REPLICATION_FACTOR, "
                "so nothing could ever be written: lower it"
            )
        if self.is_sasl and not self.sasl_mechanism:
            yield (
                "RTMS_KAFKA_SASL_MECHANISM is not set: RTMS_KAFKA_SECURITY_PROTOCOL asks for SASL, "
                "so set it, e.g. to SCRAM-SHA-512"
            )
        if self.sasl_mechanism and not self.is_sasl:
            yield "RTMS_KAFKA_SASL_MECHANISM is set: set RTMS_KAFKA_SECURITY_PROTOCOL to SASL_SSL (or SASL_PLAINTEXT)"
        if self.is_sasl and self.sasl_mechanism != OAUTH and not self.sasl_username:
            yield "RTMS_KAFKA_SASL_USERNAME is not set: PLAIN and SCRAM need it, with RTMS_KAFKA_SASL_PASSWORD"
        if self.sasl_mechanism == OAUTH and not (self.oauth_token_url and self.oauth_client_id):
            yield (
                "OAUTHBEARER needs RTMS_KAFKA_OAUTH_TOKEN_URL, RTMS_KAFKA_OAUTH_CLIENT_ID "
                "and RTMS_KAFKA_OAUTH_CLIENT_SECRET"
            )
        if bool(self.ssl_certificate_location) != bool(self.ssl_key_location):
            yield "mutual TLS needs both RTMS_KAFKA_SSL_CERTIFICATE_LOCATION and RTMS_KAFKA_SSL_KEY_LOCATION"
        if (self.ssl_ca_location or self.ssl_certificate_location) and not self.is_encrypted:
            yield "certificates are set: set RTMS_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"

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
