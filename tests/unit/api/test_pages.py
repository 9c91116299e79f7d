"""Cursors and pages."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ApiError
from api.pages import PAGE_SIZE, Cursor, Key, decoded, encoded, link, page_of

KEYS = st.builds(Key, st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))


@given(st.builds(Cursor, KEYS, st.booleans()))
def test_a_cursor_comes_back(cursor):
    assert decoded(encoded(cursor)) == cursor


def test_no_cursor_is_the_beginning():
    assert decoded(None) == decoded("") == Cursor()


def packed(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "text",
    ["x", "!!!", "ü", "A" * 5000, packed([1, "a"]), packed([True, "a", False]), packed([2**70, "a", False]),
     packed(["1", "a", False]), packed([1, 2, False]), packed([1, "a", 0]), packed({}), packed([1, "\ud800", False]),
     base64.urlsafe_b64encode(b"[" * 500).decode()],
)  # fmt: skip
def test_cursors_of_others_are_refused(text):
    with pytest.raises(ApiError) as caught:
        decoded(text)
    assert (caught.value.status, caught.value.body) == (404, {"detail": "Invalid cursor"})


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(text):
    try:
        decoded(text)
    except ApiError as error:
        assert error.status == 404  # noqa: PT017


def read(keys, cursor):
    """What a store returns for a cursor: one more than a page."""
    return sorted(filter(cursor.passes, keys), reverse=cursor.backwards)[: PAGE_SIZE + 1]


@given(st.sets(st.integers(0, 1000), max_size=120))
def test_walking_there_and_back_sees_everything_once(numbers):
    keys = [Key(number, f"id{number}") for number in numbers]
    cursor, forwards, last = Cursor(), [], None
    while cursor is not None:
        page = page_of(read(keys, cursor), cursor, lambda key: key)
        forwards += page.items
        cursor, last = page.following, page
    assert forwards == sorted(keys)
    backwards, cursor = list(last.items), last.preceding
    while cursor is not None:
        page = page_of(read(keys, cursor), cursor, lambda key: key)
        backwards = [*page.items, *backwards]
        cursor = page.preceding
    assert backwards == forwards


def test_links_keep_the_rest_of_the_query():
    cursor = Cursor(Key(5, "a"), backwards=True)
    url = link("http://h/api/v1/x", [("states", "ended"), ("cursor", "old"), ("states", "connected")], cursor)
    query = parse_qs(urlsplit(url).query)
    assert query["states"] == ["ended", "connected"]
    assert [decoded(text) for text in query["cursor"]] == [cursor]
    assert link("http://h", [], None) is None
