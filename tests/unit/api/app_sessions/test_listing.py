"""Lists put together from a store that lags and a view that may not know everything."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app_sessions.listing import READ, Filter, key_of, listed, query, wanted_states
from api.errors import ApiError
from api.pages import PAGE_SIZE, Cursor
from schemas.records import AppSession, StreamRequest

SESSION = AppSession(
    session_id="", project_id="p1", state="ended", settings="{}", metadata=None, history=(),
    request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
    recording_state="not_started", transcription_state="not_started", awaiting=(), created_at_ms=1, epoch=-1,
    folded_offset=0,
)  # fmt: skip


def session(number, state="ended"):
    return replace(SESSION, session_id=f"app_{number:03}", created_at_ms=number // 3, state=state)


def fetch_from(stored, states):
    """A store that answers as ClickHouse does."""

    async def fetch(after):
        rows = [row for row in stored if after.passes(key_of(row)) and (not states or row.state in states)]
        return sorted(rows, key=key_of, reverse=after.backwards)[:READ]

    return fetch


def walk(live, stored, states=frozenset(), backwards=False):
    found, pages = [], []
    cursor = Cursor(key_of(session(10**6)), backwards=True) if backwards else Cursor()
    while cursor is not None:
        page = asyncio.run(listed(live, Filter(states), cursor, fetch_from(stored, states)))
        found = [*page.items, *found] if backwards else [*found, *page.items]
        pages.append(len(page.items))
        cursor = page.preceding if backwards else page.following
    return found, pages


NUMBERS = st.dictionaries(st.integers(0, 200), st.sampled_from(["connected", "ended"]), max_size=120)


@given(NUMBERS, NUMBERS, st.sampled_from([frozenset(), frozenset({"ended"}), frozenset({"connected"})]), st.booleans())
def test_every_session_once_as_the_view_has_it(live, stored, states, backwards):
    newest = stored | live
    expected = sorted((session(n, s) for n, s in newest.items() if not states or s in states), key=key_of)
    live_sessions = [session(n, s) for n, s in live.items()]
    found, pages = walk(live_sessions, [session(n, s) for n, s in stored.items()], states, backwards)
    assert found == expected
    assert all(size == PAGE_SIZE for size in pages[:-1])


def test_the_statement_turns_round_for_pages_before():
    sql, parameters = query("p1", Filter(frozenset({"ended"})), Cursor(key_of(session(5)), backwards=True))
    assert "< ({time_ms:Int64}" in sql
    assert "DESC" in sql
    assert "state IN" in sql
    assert parameters["states"] == ["ended"]
    assert "state IN" not in query("p1", Filter(), Cursor())[0]


def test_a_deduplication_key_is_looked_for():
    sql, parameters = query("p1", Filter(deduplication_key="k"), Cursor())
    assert "JSONExtractString(document, 'deduplication_key') = {key:String}" in sql
    assert parameters["key"] == "k"
    assert Filter(deduplication_key="k").passes(replace(SESSION, deduplication_key="k"))
    assert not Filter(deduplication_key="k").passes(SESSION)


def test_states_may_be_repeated_or_separated_by_commas():
    assert wanted_states(["ended, connected", "", "fatal_error"]) == {"ended", "connected", "fatal_error"}
    with pytest.raises(ApiError, match="400"):
        wanted_states(["ready"])


@pytest.mark.parametrize("key", [None, ""])
def test_an_empty_key_asks_for_none_of_the_store_and_of_the_view(key):
    """ClickHouse has an empty text where there is no key: of the sessions without one only those of long ago came."""
    sql, _ = query("p1", Filter(deduplication_key=key), Cursor())
    assert "deduplication_key" not in sql
    assert Filter(deduplication_key=key).passes(session(1))
    assert Filter(deduplication_key=key).passes(replace(session(1), deduplication_key="k"))


def test_a_key_asks_for_its_session_alone():
    sql, parameters = query("p1", wanted := Filter(deduplication_key="k"), Cursor())
    assert ("deduplication_key" in sql, parameters["key"]) == (True, "k")
    assert wanted.passes(replace(session(1), deduplication_key="k"))
    assert not wanted.passes(session(1))
