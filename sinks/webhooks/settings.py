"""What an operator may set about the webhooks sink, read from `RTMS_SINK_WEBHOOKS_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SinkWebhooksSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RTMS_SINK_WEBHOOKS_")

    timeout_s: float = Field(default=10.0, gt=0, description="for a receiver to answer")
    in_flight: int = Field(default=512, ge=1, description="requests at a time")
    in_flight_per_host: int = Field(default=32, ge=1, description="requests at a time to one host")
    load_timeout_s: float = Field(default=60.0, gt=0, description="for more to come of what a predecessor left")
    disable_after_failed: int = Field(
        default=20, ge=0, description="deliveries given up in a row after which a subscription is disabled; 0 = never"
    )
