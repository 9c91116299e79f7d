"""What an operator may set about the API, read from `RTMS_API_*`."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.host.addresses import http_address


class ApiSettings(BaseSettings):
    """`admin_token` opens the control plane; while it is empty nobody can make projects and keys."""

    model_config = SettingsConfigDict(env_prefix="RTMS_API_")

    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8080, ge=1, le=65535, description="the port to listen on")
    public_url: str = Field(default="", description="how clients reach this API, when not as http://host:port")
    admin_token: SecretStr = Field(
        default=SecretStr(""), description="opens the control plane; without it nobody can make projects and keys"
    )

    concurrency_limit: int = Field(default=2500, ge=0, description="live sessions of a project that has no own limit")
    repeated_end: Literal["answer", "refuse"] = Field(
        default="answer", description="to end a session that is ending or over: its state, or 400 as the incumbent does"
    )
    composed_views: bool = Field(
        default=False, description="processor-composing runs, so sessions may ask for views that it draws"
    )
    media_url_expires_s: int = Field(default=1800, ge=60, description="how long a recording's link works")
    playlist_url_expires_s: int = Field(
        default=12 * 3600, ge=60, description="how long the link of a playlist and those of its parts work"
    )
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, description="of a request; a larger one gets 413")
    fold_timeout_s: float = Field(default=5.0, gt=0, description="for a fact to show in a session's state")
    deletion_patience_s: float = Field(default=5.0, ge=0, description="for all data to be gone before it is answered")
    freshness_timeout_s: float = Field(default=1.0, gt=0, description="for the views to reach the end of their topics")
    append_timeout_s: float = Field(default=5.0, gt=0, description="for Kafka to acknowledge a record")
    query_patience_s: float = Field(default=2.0, ge=0, description="for ClickHouse to answer")
    search_timeout_s: int = Field(default=5, ge=1, le=10, description="for a search over a project's transcripts")
    receive_timeout_s: float = Field(default=30.0, gt=0, description="for a whole request to arrive")
    send_timeout_s: float = Field(default=60.0, gt=0, description="for a client to read on, once nothing more fits")
    feed_readers: int = Field(default=1000, ge=1, description="who may read live feeds of this process at a time")
    feed_queue_characters: int = Field(
        default=256 * 1024, ge=1, description="what may wait for a feed's reader before it is let go as too slow"
    )
    feed_keep_alive_s: float = Field(
        default=15.0, gt=0, description="between signs of life of a feed that says nothing"
    )
    shutdown_grace_s: int = Field(default=5, ge=0, description="for requests in flight when the process is to stop")

    @field_validator("public_url")
    @classmethod
    def _whole(cls, url: str) -> str:
        """Links are made of it; without its scheme none of them would lead anywhere."""
        return http_address(url, "https://api.example.com", "API keys") if url else url

    @field_validator("admin_token")
    @classmethod
    def _sendable(cls, token: SecretStr) -> SecretStr:
        """Without the line end of the file that it came from, with which no header would ever be right."""
        text = token.get_secret_value().strip()
        if not (text.isascii() and text.isprintable() and " " not in text):
            raise ValueError("must be of visible ASCII characters, without spaces: no request can carry another one")
        return SecretStr(text)

    def base_url(self) -> str:
        """How clients reach this API, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
