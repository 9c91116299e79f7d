"""What an operator may set about the objects sink, read from `RTMS_SINK_OBJECTS_*`."""

import tempfile
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SinkObjectsSettings(BaseSettings):
    """Where objects go is the connector's business (`RTMS_OBJECTS_*`)."""

    model_config = SettingsConfigDict(env_prefix="RTMS_SINK_OBJECTS_")

    group_prefix: str = Field(
        default="", description="before the consumer group's id, and in receipts, where several sinks store the same"
    )
    uploads: int = Field(
        default=8, ge=1, description="objects written at a time, and read of each recording being finished"
    )
    movies: int = Field(default=1, ge=1, description="recordings finished at a time")
    scratch_dir: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()) / "rtms-recordings",
        description="room for `movies` whole recordings",
    )
    held_mib: int = Field(default=32, ge=1, description="read and not yet written, per partition, before it is paused")
    attempts: int = Field(
        default=3,
        ge=1,
        description="to finish a recording, or to copy it where that is refused, before it is stated as failed",
    )
    retry_s: float = Field(default=0.2, gt=0, description="first wait after a failure; doubles")
    longest_retry_s: float = Field(default=15.0, gt=0, description="longest wait between two tries")

    copies: int = Field(
        default=4,
        ge=1,
        description="recordings copied to customers' own buckets at a time; of one project half as many",
    )
    copy_retry_s: float = Field(default=30.0, gt=0, description="wait after the first failure of such a copy; doubles")
    longest_copy_retry_s: float = Field(default=60.0, gt=0, description="longest wait between two tries of a copy")
    copy_patience_s: float = Field(
        default=600.0, ge=0, description="for a customer's bucket that cannot be reached; then the copy has failed"
    )

    @property
    def held_bytes(self) -> int:
        return self.held_mib * 1024 * 1024
