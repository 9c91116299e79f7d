"""Types without codecs, and the comparison of tables."""

import re

import pytest

from connectors.clickhouse.columns import column_types
from connectors.clickhouse.tables import Status, compare
from schemas.clickhouse import TABLES, UTTERANCES, Table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_types_are_bare(table: Table) -> None:
    types = column_types(table)
    assert list(types) == list(table.columns)
    assert not any("CODEC" in kind or re.search(r"\s$", kind) for kind in types.values())


def test_tables_are_compared_by_columns() -> None:
    right = column_types(UTTERANCES)
    assert compare(UTTERANCES, right).status is Status.OK
    assert compare(UTTERANCES, {}).status is Status.MISSING
    found = compare(UTTERANCES, {**right, "text": "Int8", "more": "String"})
    assert (found.status, found.differences) == (Status.DIFFERENT, ("more", "text"))
