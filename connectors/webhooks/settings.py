"""Where customers' addresses may be, read from `RTMS_WEBHOOKS_*`: the same for who takes one and who connects to it."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.webhooks.targets import TargetPolicy


class WebhooksSettings(BaseSettings):
    """`allow_loopback` is for one machine with everything on it; nothing else opens what is not public."""

    model_config = SettingsConfigDict(env_prefix="RTMS_WEBHOOKS_")

    allow_loopback: bool = Field(
        default=False, description="also plain http, and receivers and customers' storages on this machine"
    )

    def targets(self) -> TargetPolicy:
        """The policy."""
        return TargetPolicy(self.allow_loopback)
