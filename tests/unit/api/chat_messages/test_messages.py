"""Chat messages as clients see them."""

import pytest

from api.chat_messages.messages import documents, key_of, query
from api.errors import ApiError
from api.pages import Cursor, Key
from schemas import ids

ROW = {
    "message_id": "msg_1", "written_ms": 5999, "changed_ms": 9000, "revision": 3, "sender_id": 7, "sender_name": None,
    "told": '{"text":"hi","to":"only_bot","additional":{"message_id":"m"}}',
}  # fmt: skip


def test_the_shape_clients_know():
    assert documents("app_1", [ROW]) == [
        {
            "id": "msg_1",
            "text": "hi",
            "timestamp_ms": 5999,
            "timestamp": 5,
            "to": "only_bot",
            "sender_name": None,
            "sender_uuid": ids.participant_uuid("app_1", 7),
            "sender_user_uuid": None,
            "additional_data": {"message_id": "m", "revision": 3},
        }
    ]


@pytest.mark.parametrize("told", ["", "[]", "x", '{"text": 3}', '{"additional": []}'])
def test_details_that_nobody_can_read_are_an_empty_message(told):
    [document] = documents("app_1", [ROW | {"told": told}])
    assert (document["text"], document["additional_data"]) == ("", {"revision": 3})


def test_pages_go_by_when_a_message_was_written():
    assert key_of(ROW) == Key(5999, "msg_1")
    assert query("app_1", Cursor(Key(1, "a"), backwards=True), None)[0].count("DESC") == 2
    assert query("app_1", Cursor(), "1970-01-01T00:00:01Z")[1]["after_ms"] == 1000
    with pytest.raises(ApiError) as caught:
        query("app_1", Cursor(), "x")
    assert caught.value.body["error"].startswith("Invalid updated_after format")
