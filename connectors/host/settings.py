"""The host's part of the environment: how a process logs, where it answers probes, which keys it holds."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LogSettings(BaseSettings):
    """`RTMS_LOG_FORMAT`, `RTMS_LOG_LEVEL`."""

    model_config = SettingsConfigDict(env_prefix="RTMS_LOG_")

    format: Literal["json", "console"] = "json"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class HealthSettings(BaseSettings):
    """`RTMS_HEALTH_PORT` (0 = any free one), `RTMS_HEALTH_BIND`, `RTMS_HEALTH_MAX_BEAT_AGE_S`."""

    model_config = SettingsConfigDict(env_prefix="RTMS_HEALTH_")

    port: int = Field(default=0, ge=0, le=65535)
    bind: str = "127.0.0.1"
    max_beat_age_s: float = Field(default=60.0, gt=0)


class SecretsSettings(BaseSettings):
    """`RTMS_SECRETS_KEYS`: Fernet keys separated by commas; the first one encrypts, all of them decrypt."""

    model_config = SettingsConfigDict(env_prefix="RTMS_SECRETS_")

    keys: SecretStr = SecretStr("")

    def key_list(self) -> list[str]:
        """The keys in their order, empty entries left out."""
        return [key.strip() for key in self.keys.get_secret_value().split(",") if key.strip()]
