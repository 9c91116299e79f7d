"""`python -m api`: App Sessions over REST. Settings come from RTMS_* variables; see `--help`."""

import sys

from api.settings import ApiSettings
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.host.program import Program
from connectors.host.settings import HealthSettings, LogSettings, SecretsSettings, TracesSettings
from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectsSettings
from connectors.rtms.settings import ZoomSettings
from connectors.speech.settings import CustomAsyncSettings
from connectors.webhooks.settings import WebhooksSettings

PROGRAM = Program(
    "api",
    "api",
    "App Sessions over REST. The OpenAPI document is at /openapi.json, a page to try it at /docs.",
    (
        ApiSettings,
        SecretsSettings,
        ObjectsSettings,
        KafkaSettings,
        ClickHouseSettings,
        ZoomSettings,
        WebhooksSettings,
        CustomAsyncSettings,
        HealthSettings,
        LogSettings,
        TracesSettings,
    ),
)


def main() -> int:
    """The exit status: 0 stopped when told to, 1 could not serve (any more), 2 cannot start as it is configured."""
    PROGRAM.parser().parse_args()
    return PROGRAM.serve_command()


if __name__ == "__main__":
    sys.exit(main())
