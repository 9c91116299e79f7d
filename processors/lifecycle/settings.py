"""What an operator may set about lifecycle, read from `RTMS_LIFECYCLE_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LifecycleSettings(BaseSettings):
    """One process per instance id at a time: a second one with the same id fences the first."""

    model_config = SettingsConfigDict(env_prefix="RTMS_LIFECYCLE_")

    instance_id: str = Field(default="lifecycle-0", description="stable and distinct per process, e.g. the pod's name")
    batch_records: int = Field(default=200, ge=1, description="facts folded in one transaction")
    batch_linger_ms: int = Field(default=5, ge=0, description="wait for more facts once one is there")
    load_timeout_s: float = Field(default=60.0, gt=0, description="for reading the states of assigned partitions")
