"""Where a statement ends and its data begin, however it is quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.clickhouse.engine import identifier, literal
from deploy.local.clickhouse.statements import Insert, output_format, parse_insert


def test_data_follow_the_line_that_names_the_format() -> None:
    found = parse_insert(b"INSERT INTO `a FORMAT b` (`x`, `FORMAT y`) FORMAT Native\n\x00\x01\nFORMAT", b"")

    assert found == Insert("INSERT INTO `a FORMAT b` (`x`, `FORMAT y`) ", "Native", b"\x00\x01\nFORMAT")


def test_data_may_come_apart_from_the_statement() -> None:
    assert parse_insert(b"insert into t format JSONEachRow", b"{}") == Insert("insert into t ", "JSONEachRow", b"{}")


@pytest.mark.parametrize(
    "statement",
    [
        b"SELECT 1 FORMAT Native",
        b"INSERT INTO t VALUES ('FORMAT Native')",
        b"INSERT INTO t SELECT 'it\\'s FORMAT x' -- FORMAT Native\n",
        b"INSERT INTO t /* FORMAT Native */ SELECT 1",
    ],
)
def test_what_is_no_insert_with_data(statement: bytes) -> None:
    assert parse_insert(statement, b"") is None


@given(st.binary(max_size=200))
def test_data_are_never_touched(data: bytes) -> None:
    found = parse_insert(b"INSERT INTO t FORMAT Native\n" + data, b"")

    assert found is not None
    assert found.data == data


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "Default"),
        ("SELECT 1 format JSON", "JSON"),
        ("SELECT 1\nFORMAT Native\n SETTINGS max_threads = 1;", "Native"),
        ("SELECT 'FORMAT Native'", "Default"),
    ],
)
def test_the_statements_own_format_wins(sql: str, expected: str) -> None:
    assert output_format(sql, "Default") == expected


def test_quoting() -> None:
    assert literal("it's \\ a") == "'it\\'s \\\\ a'"
    assert identifier("a`b\\") == "`a\\`b\\\\`"
