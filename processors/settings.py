"""What an operator may set about the Faust processors, read from `RTMS_PROCESSORS_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProcessorsSettings(BaseSettings):
    """The same for participants, transcription and muxing; a processor's own settings lie in its folder."""

    model_config = SettingsConfigDict(env_prefix="RTMS_PROCESSORS_")

    group_prefix: str = Field(default="", description="before the processor's name in its consumer group's id")
    instance_id: str = Field(
        default="",
        description="fixed and distinct per process of a group (the pod's name): a quick restart keeps its partitions",
    )
    checkpoint_interval_s: float = Field(default=0.5, gt=0, description="between two rounds of saving and committing")
    expiry_interval_s: float = Field(
        default=600.0, gt=0, description="between two looks for states of finished sessions that retention has passed"
    )
    handover_s: float = Field(default=3.0, gt=0, description="for the last checkpoint when partitions are given up")
    load_timeout_s: float = Field(default=60.0, gt=0, description="for reading the states of assigned partitions")
    session_timeout_s: float = Field(default=10.0, gt=0, description="after this silence the group gives us up")
    heartbeat_s: float = Field(default=2.0, gt=0, description="between two signs of life to the group")
    lead_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1, description="how far an input's partition may lead the others', then it pauses"
    )
    buffered_records: int = Field(default=64, ge=1, description="read ahead of the agent, whatever their size")
    stalled_s: float = Field(default=60.0, gt=0, description="without progress although there is input: not alive")
