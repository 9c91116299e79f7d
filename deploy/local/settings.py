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

    run_dir: Path = Field(default=REPOSITORY / "run", description="where a stack keeps its data and logs")
    cache_dir: Path = Field(default=REPOSITORY / ".cache", description="where what was fetched once is kept")
    kafka_home: Path | None = Field(
        default=None, validation_alias="KAFKA_HOME", description="an Apache Kafka to use instead of fetching one"
    )
    java_home: Path | None = Field(
        default=None, validation_alias="JAVA_HOME", description="a Java to use instead of the one that is set up"
    )
    partitions: int = Field(default=8, ge=1, description="of every session topic; fixed for good at the first start")
    composing: bool = Field(default=False, description="also draw composed views, which takes a core for a while")
    kafka_port: int = Field(default=9092, ge=0, le=65535, description="if it is free; 0: any that is")
    registry_port: int = Field(default=8081, ge=0, le=65535, description="if it is free; 0: any that is")
    clickhouse_port: int = Field(default=8123, ge=0, le=65535, description="if it is free; 0: any that is")
    api_port: int = Field(default=8080, ge=0, le=65535, description="if it is free; 0: any that is")
    zoom_client_id: str = Field(
        default="", validation_alias="ZOOM_CLIENT_ID", description="of your Zoom app: `up` makes a project for it"
    )
    zoom_client_secret: SecretStr = Field(
        default=SecretStr(""), validation_alias="ZOOM_CLIENT_SECRET", description="goes with the client id"
    )
    zoom_webhook_secret: SecretStr = Field(
        default=SecretStr(""), validation_alias="ZOOM_WEBHOOK_SECRET", description="of your app's event subscription"
    )
