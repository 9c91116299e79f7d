"""How ClickHouse is reached, read from `RTMS_CLICKHOUSE_*`."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClickHouseSettings(BaseSettings):
    """`url` is the HTTP interface, http:// or https://."""

    model_config = SettingsConfigDict(env_prefix="RTMS_CLICKHOUSE_")

    url: str = Field(default="http://127.0.0.1:8123", description="of ClickHouse's HTTP interface, http:// or https://")
    database: str = Field(default="default", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="a plain name")
    username: str = Field(default="default", description="of the account")
    password: SecretStr = Field(default=SecretStr(""), description="of the account")
    connect_timeout_s: int = Field(default=5, ge=1, description="for a connection")
    timeout_s: int = Field(default=60, ge=1, description="for an answer")
    patience_s: float = Field(default=10.0, ge=0, description="how long one call is retried while it makes sense")

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address like http://host:8123")
        if parts.username or parts.password:
            raise ValueError("must name nobody: RTMS_CLICKHOUSE_USERNAME and RTMS_CLICKHOUSE_PASSWORD do")
        return url
