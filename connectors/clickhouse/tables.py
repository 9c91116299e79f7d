"""Creates the tables of `schemas.clickhouse`, compares existing ones with them and adds the columns they lack.

A column that this release does not know is a newer one's: nobody here names it, and ClickHouse fills it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connectors.clickhouse.client import ClickHouse
from connectors.clickhouse.columns import column_types
from connectors.clickhouse.settings import ClickHouseSettings
from schemas.clickhouse import TABLES, Table


class Status(StrEnum):
    """How a table stands."""

    OK = "ok"
    MISSING = "missing"
    CREATED = "created"
    BEHIND = "behind"
    EXTENDED = "extended"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Finding:
    """One table; `columns` are those that are missing, or were, or that nobody can put right.

    BEHIND is a table of an earlier release, EXTENDED one that was. DIFFERENT is one with a column of another type, or
    without one that it is sorted by.
    """

    table: Table
    status: Status
    columns: tuple[str, ...] = ()


def compare(table: Table, existing: Mapping[str, str]) -> Finding:
    """Compare a table with the columns (name to type) that exist, none if there is no such table; pure."""
    if not existing:
        return Finding(table, Status.MISSING)
    wanted = column_types(table)
    missing = tuple(name for name in wanted if name not in existing)
    different = [name for name, kind in wanted.items() if existing.get(name, kind) != kind]
    different += [name for name in missing if name in table.order_by]
    if different:
        return Finding(table, Status.DIFFERENT, tuple(different))
    return Finding(table, Status.BEHIND if missing else Status.OK, missing)


def inspect(client: ClickHouse) -> list[Finding]:
    """Every table compared with what it should be."""
    return [compare(table, _columns(client, table)) for table in TABLES]


def create(client: ClickHouse) -> list[Finding]:
    """Make the missing tables and add the missing columns; what exists is left as it is."""
    return [_made(client, found) for found in inspect(client)]


def _made(client: ClickHouse, found: Finding) -> Finding:
    match found.status:
        case Status.MISSING:
            client.command(found.table.create)
            return Finding(found.table, Status.CREATED)
        case Status.BEHIND:
            client.command(found.table.extend(found.columns))
            return Finding(found.table, Status.EXTENDED, found.columns)
        case _:
            return found


def create_database(settings: ClickHouseSettings) -> None:
    """Make the database of `settings` if there is none."""
    if settings.database != "default":
        with_default = ClickHouse(settings.model_copy(update={"database": "default"}))
        try:
            with_default.command(f"CREATE DATABASE IF NOT EXISTS {settings.database}")
        finally:
            with_default.close()


def _columns(client: ClickHouse, table: Table) -> dict[str, str]:
    rows = client.query(
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}",
        {"table": table.name},
    )
    return {row["name"]: row["type"] for row in rows}
