"""How events look on the wire."""

import json

from api.feeds.cursors import Cursor
from api.feeds.events import KEEP_ALIVE, Reason, as_message, as_sse, closing, event


def test_a_server_sent_event_is_one_block_whatever_was_said():
    told = event("utterance", {"text": "two\nlines\r\n\u2028data: x\n\nid: 9"}, Cursor(3, 17))
    block = as_sse(told).decode()
    assert block.endswith("\n\n")
    name, data, at = block[:-2].split("\n")
    assert (name, at) == ("event: utterance", "id: 3-17")
    assert json.loads(data.removeprefix("data: ")) == {"text": "two\nlines\r\n\u2028data: x\n\nid: 9"}


def test_a_message_is_json():
    told = event("utterance", {"text": 'é"\n'}, Cursor(3, 17))
    assert json.loads(as_message(told)) == {"event": "utterance", "id": "3-17", "data": {"text": 'é"\n'}}


def test_what_is_said_of_a_connection_has_no_id():
    told = closing(Reason.TOO_SLOW, 700)
    assert as_sse(told) == b'event: closing\ndata: {"reason":"too_slow"}\nretry: 700\n\n'
    assert json.loads(as_message(told)) == {"event": "closing", "id": None, "data": {"reason": "too_slow"}}


def test_a_sign_of_life_is_a_comment():
    assert KEEP_ALIVE.startswith(b":")
    assert KEEP_ALIVE.endswith(b"\n\n")
