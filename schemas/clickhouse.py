"""ClickHouse tables: what the clickhouse sink writes and the API reads.

Every table is a ReplacingMergeTree on derived ids whose version is the Kafka offset, so writing a record again changes
nothing and a newer record of the same id wins; readers use FINAL. Of an utterance the revision comes before the offset
(`version`). The columns of ORDER BY never change for an id.
Times are Unix milliseconds (Int64), as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` maps name to type in order; `create` is the statement that makes it, `extend` adds columns.

    A release may add columns and take none away. Rows from before have the type's own default in it ("", 0, NULL), as
    has what an older sink writes meanwhile: readers take that for "nothing was said about it".
    """

    name: str
    columns: Mapping[str, str]
    order_by: tuple[str, ...]
    partition_by: str = "tuple()"

    @property
    def create(self) -> str:
        columns = ", ".join(f"`{name}` {kind}" for name, kind in self.columns.items())
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}) ENGINE = ReplacingMergeTree(_offset) "
            f"PARTITION BY {self.partition_by} ORDER BY ({', '.join(self.order_by)})"
        )

    def extend(self, names: Sequence[str]) -> str:
        """The statement that adds the columns `names` where they are missing."""
        columns = ", ".join(f"ADD COLUMN IF NOT EXISTS `{name}` {self.columns[name]}" for name in names)
        return f"ALTER TABLE {self.name} {columns}"


_OFFSETS = 1 << 40
_REVISIONS = 1 << 24


def version(revision: int, offset: int) -> int:
    """The `_offset` of an utterance's row: a higher revision wins, wherever on the topic an older one is written again.

    Up to the first revision it is the offset.
    """
    return min(max(revision - 1, 0), _REVISIONS - 1) * _OFFSETS + offset


_POSITION = {"_partition": "UInt16", "_offset": "UInt64"}

UTTERANCES = Table(
    "utterances",
    {
        "session_id": "String",
        "engine": "LowCardinality(String)",
        "start_ms": "Int64 CODEC(Delta, ZSTD(1))",
        "utterance_id": "String",
        "end_ms": "Int64 CODEC(Delta, ZSTD(1))",
        "revision": "UInt32",
        "status": "LowCardinality(String)",
        "participant_id": "Int64",
        "participant_name": "Nullable(String)",
        "language": "LowCardinality(Nullable(String))",
        "text": "String CODEC(ZSTD(3))",
        "reason": "Nullable(String)",
        "recognised_by": "LowCardinality(Nullable(String))",
        "model": "LowCardinality(Nullable(String))",
        "words": "String CODEC(ZSTD(3))",
        "updated_at_ms": "Int64",
        **_POSITION,
        "withdraws": "Bool",
    },
    ("session_id", "engine", "start_ms", "utterance_id"),
    "toYYYYMM(fromUnixTimestamp64Milli(start_ms))",
)

PARTICIPANT_EVENTS = Table(
    "participant_events",
    {
        "session_id": "String",
        "timestamp_ms": "Int64 CODEC(Delta, ZSTD(1))",
        "event_id": "String",
        "event": "LowCardinality(String)",
        "participant_id": "Int64",
        "participant_name": "Nullable(String)",
        "details": "String",
        "created_at_ms": "Int64",
        **_POSITION,
    },
    ("session_id", "timestamp_ms", "event_id"),
    "toYYYYMM(fromUnixTimestamp64Milli(timestamp_ms))",
)

APP_SESSIONS = Table(
    "app_sessions",
    {
        "project_id": "String",
        "created_at_ms": "Int64 CODEC(Delta, ZSTD(1))",
        "session_id": "String",
        "state": "LowCardinality(String)",
        "document": "String CODEC(ZSTD(3))",
        **_POSITION,
    },
    ("project_id", "created_at_ms", "session_id"),
    "toYYYYMM(fromUnixTimestamp64Milli(created_at_ms))",
)

WEBHOOK_DELIVERIES = Table(
    "webhook_deliveries",
    {
        "project_id": "String",
        "created_at_ms": "Int64 CODEC(Delta, ZSTD(1))",
        "delivery_id": "String",
        "session_id": "String",
        "subscription_id": "String",
        "trigger": "LowCardinality(String)",
        "status": "LowCardinality(String)",
        "document": "String CODEC(ZSTD(3))",
        **_POSITION,
    },
    ("project_id", "created_at_ms", "delivery_id"),
    "toYYYYMM(fromUnixTimestamp64Milli(created_at_ms))",
)

TABLES = (UTTERANCES, PARTICIPANT_EVENTS, APP_SESSIONS, WEBHOOK_DELIVERIES)
