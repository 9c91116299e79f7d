"""A table's column types as ClickHouse names them, without how they are stored."""

from schemas.clickhouse import Table


def column_types(table: Table) -> dict[str, str]:
    """Type by column name, in the table's order."""
    return {name: kind.partition(" CODEC(")[0] for name, kind in table.columns.items()}
