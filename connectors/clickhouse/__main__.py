"""`python -m connectors.clickhouse tables`: make what this release writes and reads, or say what differs."""

import argparse
import sys
from collections.abc import Sequence

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.errors import ClickHouseError
from connectors.clickhouse.settings import ClickHouseSettings
from connectors.clickhouse.tables import Finding, Status, create, create_database, inspect
from connectors.host.program import Program
from connectors.host.settings import LogSettings

PROGRAM = Program("connectors.clickhouse", "clickhouse", "Tables of a database.", (ClickHouseSettings, LogSettings))

_WELL = (Status.OK, Status.CREATED, Status.EXTENDED)


def _parser() -> argparse.ArgumentParser:
    parser = PROGRAM.parser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("tables", help="create the database and tables, add columns that older tables lack")
    command.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is not right")
    return parser


def _run(settings: ClickHouseSettings, *, check: bool) -> list[Finding]:
    if not check:
        create_database(settings)
    client = ClickHouse(settings)
    try:
        return inspect(client) if check else create(client)
    finally:
        client.close()


def _answer(options: argparse.Namespace, settings: ClickHouseSettings) -> int:
    try:
        findings = _run(settings, check=options.check)
    except ClickHouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for found in findings:
        columns = f" ({', '.join(found.columns)})" if found.columns else ""
        print(f"{found.table.name:<20} {found.status.value}{columns}")
    return 0 if all(found.status in _WELL for found in findings) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 all is well, 1 something is not as it must be, 2 no answer, or not configured to ask."""
    options = _parser().parse_args(arguments)
    return PROGRAM.run(lambda configured: _answer(options, configured.of(ClickHouseSettings)))


if __name__ == "__main__":
    sys.exit(main())
