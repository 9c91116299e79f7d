"""How ClickHouse is reached, read from `RTMS_CLICKHOUSE_*`."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClickHouseSettings(BaseSettings):
    """`url` is the HTTP interface, http:// or https://."""

    model_config = SettingsConfigDict(env_prefix="RTMS_CLICKHOUSE_")

    url: str = "http://127.0.0.1:8123"
    database: str = Field(default="default", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    username: str = "default"
    password: SecretStr = SecretStr("")
    connect_timeout_s: int = Field(default=5, ge=1)
    timeout_s: int = Field(default=60, ge=1)
    patience_s: float = Field(default=10.0, ge=0, description="how long one call is retried while it makes sense")
