"""Where the local stack keeps its files and what it may use of the machine it runs on."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parents[2]


class LocalSettings(BaseSettings):
    """Folders, borrowed software and preferred ports of the local stack; a real Zoom app's credentials, if any.

    A preferred port that somebody else holds is replaced by a free one; the stack prints what it took.
    """

    model_config = SettingsConfigDict(env_prefix="RTMS_LOCAL_")

    run_dir: Path = REPOSITORY / "run"
    cache_dir: Path = REPOSITORY / ".cache"
    kafka_home: Path | None = Field(default=None, validation_alias="KAFKA_HOME")
    java_home: Path | None = Field(default=None, validation_alias="JAVA_HOME")
    partitions: int = Field(default=8, ge=1)
    kafka_port: int = 9092
    registry_port: int = 8081
    clickhouse_port: int = 8123
    api_port: int = 8000
    zoom_client_id: str = Field(default="", validation_alias="ZOOM_CLIENT_ID")
    zoom_client_secret: SecretStr = Field(default=SecretStr(""), validation_alias="ZOOM_CLIENT_SECRET")
    zoom_webhook_secret: SecretStr = Field(default=SecretStr(""), validation_alias="ZOOM_WEBHOOK_SECRET")
