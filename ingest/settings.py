"""What an operator may set about a connector worker, read from `RTMS_INGEST_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """One process runs many sessions; more sessions than one core can read need more processes."""

    model_config = SettingsConfigDict(env_prefix="RTMS_INGEST_")

    worker: str = Field(default="ingest-0", description="distinct per process, e.g. the pod's name")
    address: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._:-]*$",
        description="host or IP at which other workers reach this one, at the port of its probes; empty: they do not",
    )
    session_budget_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="held per session while Kafka is away"
    )
    connecting_deadline_s: float = Field(default=300, gt=0, description="from the request to the first connection")
    disconnecting_deadline_s: float = Field(default=300, gt=0, description="from the end to everything read written")
    post_processing_deadline_s: float = Field(default=1800, gt=0, description="from the end to everything stored")
    total_deadline_s: float = Field(default=108_000, gt=0, description="from the request to the end of the meeting")
    without_kafka_s: float = Field(default=75, gt=0, description="without an acknowledgement: then the worker leaves")
    new_start_s: float = Field(
        default=60, gt=0, description="for a stream that Zoom stopped for a reason that may pass to be started again"
    )
    gather_ms: float = Field(
        default=8,
        ge=0,
        le=50,
        description="between two looks at the sockets while there is much to read; 0: each frame is read as it comes",
    )
    hand_over_s: float = Field(default=2.5, gt=0, description="for closing and flushing when partitions move")
