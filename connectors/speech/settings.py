"""What an operator may set about a transcriber of one's own, read from `RTMS_CUSTOM_ASYNC_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CustomAsyncSettings(BaseSettings):
    """The same for who takes the order and for who asks it: without a `url` no session can have `custom_async`."""

    model_config = SettingsConfigDict(env_prefix="RTMS_CUSTOM_ASYNC_")

    url: str = Field(default="", description="whom `custom_async` asks; without one no session can have it")
