"""Which failures pass by themselves, and that no row is ever quoted."""

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from connectors.clickhouse.errors import Rejected, Unavailable, translate


@pytest.mark.parametrize("code", [159, 202, 241, 242, 252, 319, 999])
def test_overload_passes(code: int) -> None:
    error = translate(DatabaseError("Code: 1", code=code, name="SOME_NAME"))
    assert isinstance(error, Unavailable)
    assert error.retryable


def test_no_answer_passes() -> None:
    assert isinstance(translate(OperationalError("Connection refused")), Unavailable)


def test_a_wrong_statement_does_not_and_its_text_is_not_quoted() -> None:
    error = translate(DatabaseError("Cannot parse 'what she said'", code=27, name="CANNOT_PARSE_INPUT"))
    assert isinstance(error, Rejected)
    assert not error.retryable
    assert (error.code, error.name) == (27, "CANNOT_PARSE_INPUT")
    assert "she said" not in str(error)
