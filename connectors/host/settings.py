"""The host's part of the environment: how a process logs, where it answers probes, which keys it holds."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.host.secrets import KeyRing, SecretsError


class LogSettings(BaseSettings):
    """`RTMS_LOG_FORMAT`, `RTMS_LOG_LEVEL`."""

    model_config = SettingsConfigDict(env_prefix="RTMS_LOG_")

    format: Literal["json", "console"] = Field(default="json", description="of the log: for machines or for people")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="the least that is logged; of libraries no less than INFO"
    )


class HealthSettings(BaseSettings):
    """`RTMS_HEALTH_PORT` (0 = any free one), `RTMS_HEALTH_BIND`, `RTMS_HEALTH_MAX_BEAT_AGE_S`."""

    model_config = SettingsConfigDict(env_prefix="RTMS_HEALTH_")

    port: int = Field(default=0, ge=0, le=65535, description="of /livez, /readyz and /metrics; 0: any free one")
    bind: str = Field(default="127.0.0.1", description="the address they listen on")
    max_beat_age_s: float = Field(
        default=60.0,
        gt=0,
        description="without progress, after which /livez says no, and half a minute later the process leaves",
    )


class TracesSettings(BaseSettings):
    """`RTMS_OTEL_ENDPOINT`: where spans of sessions go; to nobody without it."""

    model_config = SettingsConfigDict(env_prefix="RTMS_OTEL_")

    endpoint: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="a collector of OpenTelemetry, by OTLP over HTTP: http://collector:4318; empty: no traces",
    )


class SecretsSettings(BaseSettings):
    """`RTMS_SECRETS_KEYS`; without a usable key there is nothing to start with."""

    model_config = SettingsConfigDict(env_prefix="RTMS_SECRETS_")

    keys: SecretStr = Field(
        description="Fernet keys (32 url-safe base64 bytes), separated by commas; the first encrypts the "
        "secrets that projects give us (Zoom apps, credentials, webhooks), all of them decrypt"
    )

    @field_validator("keys")
    @classmethod
    def _usable(cls, keys: SecretStr) -> SecretStr:
        try:
            KeyRing(_split(keys))
        except SecretsError as error:
            raise ValueError(str(error)) from None
        return keys

    def key_ring(self) -> KeyRing:
        """The keys in their order."""
        return KeyRing(_split(self.keys))


def _split(keys: SecretStr) -> list[str]:
    """Empty entries are left out."""
    return [key.strip() for key in keys.get_secret_value().split(",") if key.strip()]
