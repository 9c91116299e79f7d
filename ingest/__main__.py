"""`python -m ingest`: a connector worker. Holds live RTMS sessions and writes what Zoom sends to Kafka."""

import sys

from connectors.host.program import Program
from connectors.host.settings import HealthSettings, LogSettings, SecretsSettings, TracesSettings
from connectors.kafka.settings import KafkaSettings
from connectors.rtms.settings import ZoomSettings
from ingest.settings import IngestSettings

PROGRAM = Program(
    "ingest",
    "ingest",
    "A connector worker. Holds live RTMS sessions and writes what Zoom sends to Kafka.",
    (IngestSettings, SecretsSettings, ZoomSettings, KafkaSettings, HealthSettings, LogSettings, TracesSettings),
)


def main() -> int:
    """The exit status: 0 stopped when told to, 1 failed (a successor goes on), 2 cannot start as it is configured."""
    PROGRAM.parser().parse_args()
    return PROGRAM.serve_command()


if __name__ == "__main__":
    sys.exit(main())
