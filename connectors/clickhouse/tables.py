"""Creates the tables of `schemas.clickhouse` and compares existing ones with them."""

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
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Finding:
    """One table; `differences` names columns that are missing, superfluous or of another type."""

    table: Table
    status: Status
    differences: tuple[str, ...] = ()


def compare(table: Table, existing: Mapping[str, str]) -> Finding:
    """Compare a table with the columns (name to type) that exist, none if there is no such table; pure."""
    if not existing:
        return Finding(table, Status.MISSING)
    wanted = column_types(table)
    different = [name for name in sorted({*wanted, *existing}) if wanted.get(name) != existing.get(name)]
    return Finding(table, Status.DIFFERENT if different else Status.OK, tuple(different))


def inspect(client: ClickHouse) -> list[Finding]:
    """Every table compared with what it should be."""
    return [compare(table, _columns(client, table)) for table in TABLES]


def create(client: ClickHouse) -> list[Finding]:
    """Make the missing tables; existing ones are left as they are."""
    findings = []
    for found in inspect(client):
        if found.status is Status.MISSING:
            client.command(found.table.create)
            found = Finding(found.table, Status.CREATED)
        findings.append(found)
    return findings


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
