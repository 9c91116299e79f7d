"""What is said where a search cannot be carried out."""

import asyncio
from types import SimpleNamespace

import pytest

from api.errors import ApiError
from api.transcripts.search_routes import _found
from connectors.clickhouse.errors import TOO_LONG, Rejected, Unavailable


def services(failure=None, turns=1):
    async def query_async(sql, parameters, patience_s):
        assert patience_s == 0, "a search that took too long is not repeated"
        if failure:
            raise failure
        return [{"sql": sql} | parameters]

    return SimpleNamespace(
        searches=asyncio.Semaphore(turns),
        settings=SimpleNamespace(search_timeout_s=0.01),
        clickhouse=SimpleNamespace(query_async=query_async),
    )


def refusal(of):
    with pytest.raises(ApiError) as caught:
        asyncio.run(_found(of, "SELECT", {}))
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "1"})
    return caught.value.body["error"]


def test_one_that_can():
    assert asyncio.run(_found(services(), "SELECT", {"a": 1})) == [{"sql": "SELECT", "a": 1}]


def test_one_that_takes_too_long_says_what_to_do():
    assert refusal(services(Unavailable("x", code=TOO_LONG))) == (
        "The search took longer than 0.01 s. Narrow it by app_session_id, after or before, or try again."
    )


@pytest.mark.parametrize("failure", [Unavailable("x"), Rejected("x", code=62)])
def test_one_that_clickhouse_does_not_answer(failure):
    assert refusal(services(failure)) == "The answer cannot be read now. Try again."


def test_one_too_many():
    assert refusal(services(turns=0)) == "Too many searches at once. Try again."


def test_a_turn_is_given_back_whatever_happens():
    async def twice():
        of = services(Unavailable("x"))
        for _ in range(2):
            with pytest.raises(ApiError, match="503"):
                await _found(of, "SELECT", {})
        return of.searches.locked()

    assert asyncio.run(twice()) is False
