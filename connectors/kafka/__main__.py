"""`python -m connectors.kafka`: `topics` makes cluster and registry what this release needs, or says what is not;
`dead-letters` lists, shows and re-drives what was put aside."""

import argparse
import sys
from collections.abc import Sequence

from connectors.host.printing import ends_with_its_reader
from connectors.host.program import Program
from connectors.host.settings import LogSettings
from connectors.kafka import letter_command
from connectors.kafka.errors import KafkaError, Misconfigured
from connectors.kafka.registry import COMPATIBILITY, Registered, RegistryClient
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import Finding, Status, TopicAdmin, refuse_wrong_partitions, topic_config
from schemas import topics
from schemas.codec import schema_text
from schemas.topics import Topic

PROGRAM = Program(
    "connectors.kafka", "kafka", "Topics, schemas and dead letters of a cluster.", (KafkaSettings, LogSettings)
)

_GOOD = (Status.OK, Status.CREATED, Status.CORRECTED)


def _parser() -> argparse.ArgumentParser:
    parser = PROGRAM.parser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("topics", help="create and correct all topics, register all schemas")
    command.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is not right")
    letter_command.add_parsers(commands)
    return parser


def _registered(client: RegistryClient, topic: Topic) -> Registered | None:
    try:
        return client.lookup(topic.subject, schema_text(topic.schema))
    except KafkaError as error:
        if error.retryable:
            raise
        return None


def _register(client: RegistryClient, topic: Topic) -> Registered:
    client.register(topic.subject, schema_text(topic.schema))
    client.set_subject_compatibility(topic.subject, COMPATIBILITY)
    return client.lookup(topic.subject, schema_text(topic.schema))


def _retention(retention_ms: int) -> str:
    return "for good" if retention_ms < 0 else f"{retention_ms / topics.HOUR_MS:g} h"


def _table(findings: Sequence[Finding], schemas: Sequence[Registered | None], settings: KafkaSettings) -> str:
    rows = [("topic", "partitions", "clean-up", "retention", "schema id", "status")]
    for found, schema in zip(findings, schemas, strict=True):
        rows.append(
            (
                found.topic.name,
                str(found.partitions),
                found.topic.cleanup.value,
                _retention(int(topic_config(found.topic, settings)["retention.ms"])),
                "not registered" if schema is None else f"{schema.schema_id} (v{schema.version})",
                found.status.value,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _run(settings: KafkaSettings, *, check: bool) -> bool:
    admin = TopicAdmin(settings)
    registry = RegistryClient.from_settings(settings)
    try:
        findings = admin.inspect(topics.ALL)
        if check:
            registered = [_registered(registry, topic) for topic in topics.ALL]
        else:
            findings = admin.apply(findings)
            registered = [_register(registry, topic) for topic in topics.ALL]
    finally:
        registry.close()
    print(_table(findings, registered, settings))
    refuse_wrong_partitions(findings, settings)
    return all(found.status in _GOOD for found in findings) and None not in registered


def _answer(options: argparse.Namespace, settings: KafkaSettings) -> int:
    try:
        with ends_with_its_reader():
            if options.command == "topics":
                return 0 if _run(settings, check=options.check) else 1
            return 0 if letter_command.run(options, settings) else 1
    except Misconfigured as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KafkaError as error:
        reached = f"Kafka at {settings.bootstrap_servers}, registry at {settings.registry_url}"
        print(f"error: {error} {f'({error.code})' if error.code else ''}".rstrip() + f"; {reached}", file=sys.stderr)
        return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 all is well, 1 something is not as it must be, 2 no answer, or not configured to ask."""
    options = _parser().parse_args(arguments)
    return PROGRAM.run(lambda configured: _answer(options, configured.of(KafkaSettings)))


if __name__ == "__main__":
    sys.exit(main())
