"""Captions and chat in all the forms that documents and samples show."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.events import CaptionReceived, ChatReceived
from connectors.rtms.protocol.texts import canonical_json, read_caption, read_chat

T = 1_700_000_001_000
CAPTION = {
    "user_id": 16778240, "user_name": "Ada", "start_time": T, "end_time": T + 2_200, "timestamp": T + 2_300,
    "language": 9, "data": "Good morning.",
}  # fmt: skip
CHAT = {
    "message_id": "m1", "operation_type": 1, "data": "hello", "timestamp": T,
    "sender": {"user_id": 7, "user_name": "Ada"}, "receiver": {"user_id": 8},
    "chat_session": {"type": 1}, "files": None,
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def caption(**changes: Any) -> CaptionReceived:
    return read_caption({"msg_type": 17, "content": CAPTION | changes})


def chat(**changes: Any) -> ChatReceived:
    return read_chat({"msg_type": 18, "content": CHAT | changes})


def test_a_caption() -> None:
    assert caption() == CaptionReceived(
        user_id=16778240, user_name="Ada", timestamp_ms=T + 2_300, start_ms=T, end_ms=T + 2_200, language=9,
        text="Good morning.", attribute=1, channel_id=None,
    )  # fmt: skip


def test_a_deleted_caption_needs_no_words() -> None:
    assert caption(attribute=3, data=None) == replace(caption(), text="", attribute=3)
    for attribute in (None, 0, 1, 2, 7):
        with pytest.raises(Unusable, match="no_text"):
            caption(attribute=attribute, data=None)


@pytest.mark.parametrize("factor", [1_000, 1])
def test_caption_times_in_two_units(factor: int) -> None:
    times = {name: CAPTION[name] * factor for name in ("start_time", "end_time", "timestamp")}  # type: ignore[operator]
    assert caption(**times) == caption()


@pytest.mark.parametrize(
    ("missing", "start", "end", "stamp"),
    [
        (("start_time", "end_time"), T + 2_300, T + 2_300, T + 2_300),
        (("timestamp",), T, T + 2_200, T),
        (("end_time",), T, T, T + 2_300),
        (("start_time", "timestamp"), T + 2_200, T + 2_200, T + 2_200),
    ],
)
def test_missing_caption_times_are_taken_from_the_others(
    missing: tuple[str, ...], start: int, end: int, stamp: int
) -> None:
    read = caption(**dict.fromkeys(missing))
    assert (read.start_ms, read.end_ms, read.timestamp_ms) == (start, end, stamp)


def test_a_caption_never_ends_before_it_begins() -> None:
    assert caption(end_time=T - 5).end_ms == T


def test_captions_of_contact_centers_and_updates() -> None:
    read = caption(user_id=None, channel_id="c1", attribute=2, language=None)
    assert (read.user_id, read.channel_id, read.attribute, read.language) == (0, "c1", 2, None)
    assert caption(data="").text == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data": None}, "no_text"), ({"data": 5}, "no_text"), ({"user_id": "Ada"}, "bad_user_id"),
        ({"start_time": 0, "end_time": None, "timestamp": "x"}, "no_timestamp"),
    ],
)  # fmt: skip
def test_unusable_captions(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        caption(**changes)
    assert caught.value.reason == reason


def test_a_chat_message() -> None:
    read = chat()
    assert read == ChatReceived(
        user_id=7, user_name="Ada", timestamp_ms=T, message_id="m1", parent_message_id=None, operation="new",
        text="hello", details='{"chat_session":{"type":1},"receiver":{"user_id":8}}',
    )  # fmt: skip
    assert "hello" not in repr(read)
    assert "Ada" not in repr(read)


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "new"), (2, "delete"), (3, "update"), (4, "add_reaction"), (5, "remove_reaction"), (9, "unknown_9"),
     (None, "new")],
)  # fmt: skip
def test_chat_operations_by_name(number: int | None, name: str) -> None:
    assert chat(operation_type=number).operation == name


def test_an_operation_without_words() -> None:
    assert chat(operation_type=2, data=None).text == ""
    for operation in (1, 3):
        with pytest.raises(Unusable, match="no_text"):
            chat(operation_type=operation, data=None)


def test_replies_and_the_old_shape() -> None:
    assert chat(parent_message_id="m0").parent_message_id == "m0"
    old = read_chat({"msg_type": 18, "content": {"timestamp": T, "data": "hi", "user_id": 3, "user_name": "Bo"}})
    assert (old.user_id, old.user_name, old.message_id, old.text) == (3, "Bo", "", "hi")


def test_a_chat_document_inside_data() -> None:
    inner = {name: value for name, value in CHAT.items() if name != "timestamp"}
    assert read_chat({"content": {"timestamp": T, "data": json.dumps(inner)}}) == chat()


@pytest.mark.parametrize("words", ["{not json", '{"some":"json"}', "[1]", '{"a":' * 2000])
def test_words_that_merely_look_like_a_document(words: str) -> None:
    assert chat(data=words).text == words


@pytest.mark.parametrize(("changes", "reason"), [({"timestamp": None}, "no_timestamp"),
                                                 ({"sender": {"user_id": "x"}}, "bad_user_id")])  # fmt: skip
def test_unusable_chat(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as caught:
        chat(**changes)
    assert caught.value.reason == reason


def test_what_cannot_be_written_is_unusable() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Unusable, match="nested_too_deep"):
        chat(files=deep)
    while deep:  # taken apart by hand: the interpreter would do it recursively
        deep = deep[0]


def test_canonical_json_is_independent_of_order() -> None:
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_json({"a": {"c": 3, "d": 2}, "b": 1})


@given(st.dictionaries(st.sampled_from(sorted(CAPTION.keys() | CHAT.keys())), JSON) | JSON)
def test_whatever_comes_is_read_or_unusable(content: Any) -> None:
    for read in (read_caption, read_chat):
        try:
            read({"content": content})
        except Unusable:
            pass
