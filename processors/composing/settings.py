"""What an operator may set about composing, read from `RTMS_COMPOSING_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ComposingSettings(BaseSettings):
    """What is drawn comes with every session; sessions may ask for it where `RTMS_API_COMPOSED_VIEWS` says so."""

    model_config = SettingsConfigDict(env_prefix="RTMS_COMPOSING_")

    group_prefix: str = Field(default="", description="before the consumer group's id")
    sessions: int = Field(default=1, ge=1, description="recordings drawn at a time; each takes a core")
