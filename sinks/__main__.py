"""`python -m sinks NAME`: one process runs one sink; each has its own consumer group."""

import sys

from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.program import Program, select
from connectors.host.settings import HealthSettings, LogSettings, SecretsSettings, TracesSettings
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.webhooks.settings import WebhooksSettings
from sinks.clickhouse.settings import ClickHouseSinkSettings
from sinks.objects.settings import SinkObjectsSettings
from sinks.webhooks.settings import SinkWebhooksSettings

SHARED = (KafkaSettings, HealthSettings, LogSettings, TracesSettings)

PROGRAMS = (
    Program(
        "sinks clickhouse",
        "sink-clickhouse",
        "writes transcripts, participant events and app sessions into ClickHouse",
        (ClickHouseSinkSettings, ClickHouseSettings, *SHARED),
    ),
    Program(
        "sinks objects",
        "sink-objects",
        "stores recordings in object storage",
        (SinkObjectsSettings, ObjectsSettings, SecretsSettings, WebhooksSettings, *SHARED),
    ),
    Program(
        "sinks webhooks",
        "sink-webhooks",
        "tells customers' receivers what happened",
        (SinkWebhooksSettings, WebhooksSettings, SecretsSettings, *SHARED),
    ),
)


def main() -> int:
    """The exit status: 0 stopped when told to, 1 failed (a successor goes on), 2 cannot start as it is configured."""
    return select("sinks", __doc__, PROGRAMS).serve_command()


if __name__ == "__main__":
    sys.exit(main())
