"""What an operator may set about the ClickHouse sink, read from `RTMS_SINK_CLICKHOUSE_*`."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ClickHouseSinkSettings(BaseSettings):
    """Batches are written as soon as they are full or their time is over; readers see rows no earlier."""

    model_config = SettingsConfigDict(env_prefix="RTMS_SINK_CLICKHOUSE_")

    batch_records: int = Field(default=5000, ge=1, description="records written at once")
    batch_linger_ms: int = Field(default=200, ge=0, description="wait for more records once one is there")
    insert_timeout_s: int = Field(default=20, ge=1, description="less than Kafka's max.poll.interval")
    recount_patience_s: float = Field(
        default=2.0, ge=0, description="for rows written a moment ago to be seen, where another replica answers"
    )
    archive_after_days: float | None = Field(
        default=None,
        gt=0,
        description="untouched for that long, a session that is over leaves Kafka and is in ClickHouse alone; unset: as"
        " soon as nothing on the topics can concern it any more, 14 days unless media are kept longer",
    )
    ack_timeout_s: float = Field(default=10.0, gt=0, description="for Kafka to acknowledge facts and dead letters")
