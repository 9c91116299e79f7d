"""What is looked for, and which of what was read is on the page."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ApiError
from api.pages import FIRST, PAGE_SIZE, Cursor, Key
from api.transcripts.searching import READ, Search, is_shown, key_of, page, search_of, statement, words_of
from schemas.records import Deletion
from schemas.settings import Engine
from tests.unit.api.transcripts.conftest import session


def refusal(call):
    with pytest.raises(ApiError) as caught:
        call()
    assert caught.value.status == 400
    return caught.value.body["error"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("budget", ("budget",)), ("  Éclair  CAFÉ ", ("eclair", "cafe")),
     ('"Next  quarter" plan', ("next quarter", "plan")),
     ('an "open quote', ("an", "open", "quote")), ('a"b c"d', ("a", "b c", "d")), ("a a A", ("a",)), ('"" x', ("x",)),
     ("100% _ \\ '", ("100%", "_", "\\", "'")), ("漢字", ("漢字",))],
)  # fmt: skip
def test_words(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize("text", ["", "  ", '""', '" "', '"', "\u0301", "\n"])
def test_a_query_for_nothing_is_refused(text):
    assert "Say what to look for" in refusal(lambda: words_of(text))


def test_endless_queries_are_refused():
    assert "longer than 200" in refusal(lambda: words_of("a" * 201))
    assert "more than 10 words" in refusal(lambda: words_of(" ".join("abcdefghijk")))
    assert len(words_of(" ".join("abcdefghij"))) == 10


def test_filters():
    given_ = {"query": "x", "app_session_id": "app_1", "speaker": " ÁDA ", "language": "EN", "engine": "zoom",
              "after": "1970-01-01T00:00:01Z", "before": "1970-01-01T00:00:02Z",
              "updated_after": "1970-01-01T00:00:03Z"}  # fmt: skip
    assert search_of(given_) == Search(
        words=("x",), session_id="app_1", speaker="ada", language="en", engine="zoom", after_ms=1000, before_ms=2000,
        updated_after_ms=3000,
    )  # fmt: skip
    assert search_of({"query": "x", "after": ""}) == Search(words=("x",))
    known = "Engines are: deepgram, openai, custom_async, moonshine, zoom"
    assert known in refusal(lambda: search_of({"query": "x", "engine": "whisper"}))
    assert "speaker is longer than 200" in refusal(lambda: search_of({"query": "x", "speaker": "y" * 201}))
    assert "Invalid before format" in refusal(lambda: search_of({"query": "x", "before": "soon"}))


@given(st.text(), st.text(), st.text())
def test_nothing_that_anybody_says_stands_in_the_statement(project_id, word, speaker):
    cursor = Cursor(Key(5, word), backwards=False)
    sql, parameters = statement(project_id, Search(words=(word,), speaker=speaker, session_id=word), cursor, 5)
    assert sql == statement("p", Search(words=("x",)), Cursor(), 5)[0]
    assert parameters["project_id"] == project_id


def test_a_cursor_narrows_what_is_read():
    search = Search(words=("x",), after_ms=100, before_ms=900)
    for cursor, span in (
        (Cursor(), (100, 900)), (Cursor(Key(500, "a")), (500, 900)),
        (Cursor(Key(500, "a"), backwards=True), (100, 501)),
        (Cursor(Key(2**63 - 1, "a"), backwards=True), (100, 900)),
    ):  # fmt: skip
        _, parameters = statement("p", search, cursor, 5)
        assert (parameters["after_ms"], parameters["before_ms"]) == span


ANY = Search(words=("x",))


def test_who_knows_best():
    row = {"engine": "zoom", "start_ms": 50}
    assert is_shown(row, session(Engine.ZOOM), ANY)
    assert not is_shown(row, None, ANY), "the project has no such session"
    revoked = Deletion(reason="consent_revoked", asked_at_ms=1)
    assert not is_shown(row, session(Engine.ZOOM, state="connected", deletion=revoked), ANY)
    assert not is_shown(row, session(Engine.ZOOM, transcript_deletion=replace(revoked, until_ms=50)), ANY)
    later = session(Engine.ZOOM, transcript_deletion=replace(revoked, until_ms=49))
    assert is_shown(row, later, ANY), "said after the deletion"
    both = session(Engine.ZOOM, Engine.MOONSHINE)
    assert not is_shown(row, both, ANY), "the session's first engine is another"
    assert is_shown(row, both, Search(words=("x",), engine="zoom"))


def store(rows, cursor):
    """What is read for a cursor."""
    found = [row for row in rows if cursor.passes(key_of(row))]
    return sorted(found, key=key_of, reverse=cursor.backwards)[:READ]


@given(st.sets(st.integers(0, 2000), max_size=400), st.sampled_from([1, 2, 7, 50, 10_000]))
def test_walking_there_and_back_sees_every_hit_once_whatever_is_hidden_between(numbers, one_in):
    rows = [
        {"start_ms": number // 3, "place": f"app_1 {number:05}", "hidden": number % one_in != 0} for number in numbers
    ]
    shown = [row for row in sorted(rows, key=key_of) if not row["hidden"]]

    def walked(cursor, step):
        while cursor is not None:
            found = page(store(rows, cursor), cursor, lambda row: not row["hidden"])
            assert len(found.items) <= PAGE_SIZE
            yield found.items
            cursor = getattr(found, step)

    assert [row for items in walked(Cursor(), "following") for row in items] == shown
    last = Cursor(Key(2**62, ""), backwards=True)
    backwards = list(walked(last, "preceding"))
    assert [row for items in reversed(backwards) for row in items] == shown


def test_the_first_page_has_none_before_it():
    rows = [{"start_ms": 1, "place": "a"}]
    found = page(rows, Cursor(FIRST), lambda row: True)
    assert (found.items, found.following, found.preceding) == (rows, None, None)
