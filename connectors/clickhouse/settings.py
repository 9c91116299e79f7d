"""How ClickHouse is reached, read from `RTMS_CLICKHOUSE_*`."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.host.addresses import existing_file, http_address


class ClickHouseSettings(BaseSettings):
    """`url` is the HTTP interface, http:// or https://."""

    model_config = SettingsConfigDict(env_prefix="RTMS_CLICKHOUSE_")

    url: str = Field(default="http://127.0.0.1:8123", description="of ClickHouse's HTTP interface, http:// or https://")
    database: str = Field(default="default", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="a plain name")
    username: str = Field(default="default", description="of the account")
    password: SecretStr = Field(default=SecretStr(""), description="of the account")
    ca_location: str = Field(default="", description="a file with ClickHouse's authorities; empty: the system's")
    connect_timeout_s: int = Field(default=5, ge=1, description="for a connection")
    timeout_s: int = Field(default=60, ge=1, description="for an answer")
    patience_s: float = Field(default=10.0, ge=0, description="how long one call is retried while it makes sense")

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        return http_address(url, "http://host:8123", "RTMS_CLICKHOUSE_USERNAME and RTMS_CLICKHOUSE_PASSWORD")

    @field_validator("ca_location")
    @classmethod
    def _readable(cls, location: str) -> str:
        return existing_file(location)
