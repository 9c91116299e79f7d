"""Participant events as clients see them."""

import pytest

from api.errors import ApiError
from api.pages import Cursor, Key
from api.participant_events.events import documents, key_of, query
from schemas import ids

ROW = {
    "event_id": "pe_1", "event": "join", "participant_id": 7, "participant_name": "Ada", "timestamp_ms": 5,
    "details": "{}",
}  # fmt: skip


def test_the_shape_clients_know():
    assert documents("app_1", [ROW]) == [
        {
            "id": "pe_1",
            "participant_name": "Ada",
            "participant_uuid": ids.participant_uuid("app_1", 7),
            "participant_user_uuid": None,
            "participant_is_host": False,
            "event_type": "join",
            "event_data": {},
            "timestamp_ms": 5,
        }
    ]


@pytest.mark.parametrize("details", ["", "[]", "x", "null"])
def test_details_that_are_no_object_are_none(details):
    assert documents("app_1", [ROW | {"details": details}])[0]["event_data"] == {}


def test_after_and_before_are_times_of_writing():
    sql, parameters = query("app_1", Cursor(), "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z")
    assert (parameters["after_ms"], parameters["before_ms"]) == (1000, 2000)
    assert "created_at_ms > {after_ms:Int64}" in sql
    assert query("app_1", Cursor(Key(1, "a"), backwards=True), None, None)[0].count("DESC") == 2
    assert key_of(ROW) == Key(5, "pe_1")


@pytest.mark.parametrize(("after", "before", "name"), [("x", None, "after"), (None, "x", "before")])
def test_bad_times_are_named(after, before, name):
    with pytest.raises(ApiError) as caught:
        query("app_1", Cursor(), after, before)
    assert caught.value.body["error"].startswith(f"Invalid {name} format")
