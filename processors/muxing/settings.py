"""What an operator may set about muxing, read from `RTMS_MUXING_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MuxingSettings(BaseSettings):
    """What decides about contents is no setting of the process: it comes with every session."""

    model_config = SettingsConfigDict(env_prefix="RTMS_MUXING_")

    threads: int = Field(default=1, ge=1, description="that encode sound; one saturates the core that a process has")
    max_in_flight: int = Field(default=4, ge=1, description="stretches rendered or being sent at a time")
