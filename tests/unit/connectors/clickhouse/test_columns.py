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
    found = compare(UTTERANCES, {**right, "text": "Int8"})
    assert (found.status, found.columns) == (Status.DIFFERENT, ("text",))


def test_a_column_of_a_newer_release_is_nobodys_business() -> None:
    assert compare(UTTERANCES, {**column_types(UTTERANCES), "more": "String"}).status is Status.OK


def test_a_table_of_an_earlier_release_lacks_columns_and_none_that_it_is_sorted_by() -> None:
    earlier = column_types(UTTERANCES)
    del earlier["words"], earlier["model"]
    found = compare(UTTERANCES, earlier)
    assert (found.status, found.columns) == (Status.BEHIND, ("model", "words"))
    del earlier["start_ms"]
    found = compare(UTTERANCES, earlier)
    assert (found.status, found.columns) == (Status.DIFFERENT, ("start_ms",))
