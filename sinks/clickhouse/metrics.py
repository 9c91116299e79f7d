"""What the ClickHouse sink counts."""

from connectors.host.metrics import counter, gauge, histogram

ROWS = counter("rtms_sink_clickhouse_rows_total", "rows written", ["table"])
ENDINGS = counter("rtms_sink_clickhouse_endings_total", "sessions completely in a table", ["table"])
SHORT = counter("rtms_sink_clickhouse_short_total", "endings that announced more rows than the table has", ["table"])
SKIPPED = counter("rtms_sink_clickhouse_skipped_total", "records of a kind this release does not know", ["topic"])
FAILURES = counter("rtms_sink_clickhouse_failures_total", "batches that have to be written again", ["at"])
LATENCY = histogram("rtms_sink_clickhouse_write_seconds", "one batch, from its rows to its commit")
PAUSED = gauge("rtms_sink_clickhouse_paused_partitions", "partitions not read on, because a batch cannot be written")
ERASED = counter("rtms_sink_clickhouse_erased_total", "records read of deleted sessions, and erased", ["topic"])
DELETIONS = counter("rtms_sink_clickhouse_deletions_total", "sessions whose rows and records were erased")
UNERASED = gauge("rtms_sink_clickhouse_unerased_sessions", "deleted sessions that still have rows or records")
UNARCHIVED = gauge(
    "rtms_sink_clickhouse_unarchived_sessions", "sessions that are to be archived and are not yet, or not in ClickHouse"
)
WITHDRAWN = counter(
    "rtms_sink_clickhouse_withdrawn_total",
    "states of deleted chat messages, and deliveries of them or of deleted captions, that lost their words;"
    " and records of changed captions that were written once more behind an older revision",
)
