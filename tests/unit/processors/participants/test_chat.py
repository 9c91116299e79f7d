"""Chat messages, each as it is by then and told once, whatever Zoom repeats, changes or leaves out."""

import json
from dataclasses import replace

import pytest

from processors.participants import chat_details
from processors.participants.application import participant_event
from processors.participants.chat import FORGOTTEN_AT_ONCE, Message
from processors.participants.logic import ParticipantsLogic
from schemas import chat_messages
from schemas.ids import chat_message_id
from schemas.participant_events import CHAT_MESSAGE, CHAT_MESSAGE_DELETED
from schemas.records import MediaRecord, OutputKind, ParticipantEvent, RecordKind
from schemas.topics import CHAT, EVENTS, MAX_RECORD_BYTES
from schemas.topics import PARTICIPANT_EVENTS as CHAT_EVENTS
from tests.support.meeting_events import chat, chat_control, record
from tests.support.odd_records import CODEC, survived

T = 1_700_000_000_000


def works(*records: MediaRecord) -> list[Message]:
    part, found = None, []
    for one in records:
        observed = ParticipantsLogic().observe(CHAT.name, part, one)
        part = json.loads(json.dumps(observed.part))
        assert part == observed.part, "the fold must be JSON"
        found += observed.works
    return found


def told(*records: MediaRecord) -> list[tuple[str, str, int, str, int]]:
    """(event, id, time, text, revision)"""
    found = []
    for work in works(*records):
        message, revision = chat_messages.revised(work.event_id)
        found.append((work.event, message, work.timestamp_ms, chat_messages.readable(work.details).text, revision))
    return found


def written(*records: MediaRecord) -> list[ParticipantEvent]:
    begin, end = (chat_control("s", kind, 5, 0, T) for kind in (RecordKind.BEGIN, RecordKind.END))
    over = [record("s", RecordKind.END, 5, 0, T)]
    inputs = {EVENTS.name: over, CHAT.name: [begin, *records, replace(end, epoch=99)]}
    found = survived(ParticipantsLogic(), inputs, lambda s, work: [participant_event(s, work)], CHAT_EVENTS)
    return [event for event in found if isinstance(event, ParticipantEvent)]


def additional(**details: object) -> dict[str, object]:
    (message,) = works(chat("s", 5, 1, T, "m", "hi", **details))
    return dict(chat_messages.readable(message.details).additional)


def test_a_message_is_known_by_zooms_id():
    one = chat_message_id("s", "m1")
    assert told(chat("s", 5, 1, T, "m1", "hi"), chat("s", 5, 2, T + 1, "m2", "hi")) == [
        (CHAT_MESSAGE, one, T, "hi", 0),
        (CHAT_MESSAGE, chat_message_id("s", "m2"), T + 1, "hi", 1),
    ]
    assert one.startswith("msg_")
    assert one != chat_message_id("other", "m1")


def test_a_change_replaces_the_words_at_the_time_when_it_was_written():
    assert told(chat("s", 5, 1, T, "m", "helo"), chat("s", 5, 2, T + 9, "m", "hello", "update")) == [
        (CHAT_MESSAGE, chat_message_id("s", "m"), T, "helo", 0),
        (CHAT_MESSAGE, chat_message_id("s", "m"), T, "hello", 1),
    ]


def test_a_deleted_message_has_no_words_and_does_not_come_back():
    found = works(
        chat("s", 5, 1, T, "m", "hi", parent="x"), chat("s", 5, 2, T + 9, "m", "", "delete"),
        chat("s", 5, 3, T + 10, "m", "", "delete"), chat("s", 5, 4, T + 11, "m", "hi again", "update"),
        chat("s", 9, 1, T, "m", "hi"),
    )  # fmt: skip
    assert [(work.event, work.timestamp_ms) for work in found] == [(CHAT_MESSAGE, T), (CHAT_MESSAGE_DELETED, T)]
    assert json.loads(found[1].details) == {"text": "", "to": "everyone", "additional": {"is_deleted": True}}


def test_what_is_announced_again_by_another_connection_is_told_once():
    assert len(told(chat("s", 5, 1, T, "m", "hi"), chat("s", 9, 1, T, "m", "hi"))) == 1
    changed = chat("s", 5, 1, T, "m", "hi"), chat("s", 5, 2, T + 1, "m", "ho", "update")
    assert len(told(*changed, replace(changed[0], epoch=9), replace(changed[1], epoch=9))) == 2


def test_changes_back_and_forth_are_all_told():
    texts = "a", "b", "a", "b"
    first, *others = (chat("s", 5, number, T + number, "m", text, "update") for number, text in enumerate(texts, 1))
    assert [entry[3:] for entry in told(replace(first, operation="new"), *others)] == [
        ("a", 0), ("b", 1), ("a", 2), ("b", 3),
    ]  # fmt: skip


def test_of_a_message_from_before_the_meeting_a_change_is_told_and_a_deletion_is_not():
    assert told(chat("s", 5, 1, T, "m1", "hi", "update"), chat("s", 5, 2, T, "m2", "", "delete")) == [
        (CHAT_MESSAGE, chat_message_id("s", "m1"), T, "hi", 0)
    ]


def test_messages_without_an_id_are_known_by_their_place():
    found = told(chat("s", 5, 1, T, "", "hi"), chat("s", 5, 2, T, "", "hi"), chat("s", 5, 2, T, "", "hi"))
    assert len({entry[1] for entry in found}) == len(found) == 2


@pytest.mark.parametrize("operation", ["add_reaction", "remove_reaction", "6", ""])
def test_other_operations_are_no_messages(operation):
    assert told(chat("s", 5, 1, T, "m", "👍", operation)) == []


@pytest.mark.parametrize(
    ("details", "to"),
    [
        ({}, "everyone"),
        ({"chat_session": {"type": 1}}, "everyone"),
        ({"chat_session": {"type": "1"}}, "everyone"),
        ({"chat_session": {"type": 2}, "receiver": {"user_id": 11, "user_name": "P11"}}, "only_bot"),
        ({"chat_session": {"type": 3, "id": "group"}}, "only_bot"),
        ({"chat_session": {}}, "only_bot"),
        ({"chat_session": []}, "only_bot"),
        ({"chat_session": {"type": True}}, "only_bot"),
    ],
)
def test_whom_a_message_is_for(details, to):
    (message,) = works(chat("s", 5, 1, T, "m", "hi", **details))
    assert chat_messages.readable(message.details).to == to


def test_what_was_private_stays_private():
    private = chat("s", 5, 1, T, "m", "hi", chat_session={"type": 2})
    (_, changed) = works(private, chat("s", 5, 2, T, "m", "ho", "update"))
    assert chat_messages.readable(changed.details).to == "only_bot"


def test_what_else_is_known_has_zooms_names():
    files = [{"file_id": "f", "file_name": "a.pdf", "file_size": 3, "more": {"x": 1.0}}]
    session = {"type": 1, "id": "c", "more": 1.0}
    assert additional(files=files, chat_session=session, receiver=None, more=[]) == {
        "message_id": "m",
        "chat_session": {"type": 1, "id": "c"},
        "files": [{"file_id": "f", "file_name": "a.pdf", "file_size": 3}],
    }
    (reply,) = works(replace(chat("s", 5, 1, T, "m2", "yes"), parent_message_id="m1"))
    assert chat_messages.readable(reply.details).additional["parent_id"] == chat_message_id("s", "m1")


@pytest.mark.parametrize(
    "details",
    ["", "no JSON", "[]", '{"files": 3}', '{"chat_session":' + "[" * 50_000, '{"files": [{"file_size": 1e300}]}'],
)  # fmt: skip
def test_details_of_no_known_shape_are_left_out(details):
    (message,) = works(replace(chat("s", 5, 1, T, "m", "hi"), details=details))
    assert chat_messages.readable(message.details).additional == {"message_id": "m"}
    assert chat_messages.readable(message.details).to == "only_bot"


def test_nothing_makes_a_message_large():
    huge = "ü" * 2_000_000
    record_ = replace(
        chat("s", 5, 1, T, huge, huge, files=[{"file_name": huge}]), participant_name=huge, parent_message_id=huge
    )
    message, end = written(record_)
    assert len(CODEC.encode(CHAT_EVENTS, message)) < 100_000 < MAX_RECORD_BYTES
    details = chat_messages.readable(message.details)
    assert details.text == "ü" * chat_details.MAX_TEXT_CHARACTERS
    assert details.additional["length"] == len(huge)
    assert end.count == 1


def test_the_end_counts_what_was_told():
    operations = "new", "new", "new", "update", "delete", "add_reaction", "update"
    *messages, end = written(
        *(chat("s", 5, number, T + number, f"m{number % 3}", f"text {number}", operation)
          for number, operation in enumerate(operations, 1))
    )  # fmt: skip
    assert end.kind is OutputKind.END
    assert end.count == len({message.event_id for message in messages}) == 6


def test_records_of_a_replaced_connection_are_no_messages():
    begin = chat_control("s", RecordKind.BEGIN, 9, 0, T)
    *messages, end = written(begin, chat("s", 5, 7, T, "m1", "stale"), chat("s", 9, 1, T, "m2", "hi"))
    assert [chat_messages.readable(message.details).text for message in messages] == ["hi"]
    assert end.count == 1


def test_a_state_keeps_no_words_and_after_the_end_no_messages():
    part = None
    for one in (chat("s", 5, 1, T, "secret-id", "secret words"), chat_control("s", RecordKind.END, 5, 2, T)):
        part = ParticipantsLogic().observe(CHAT.name, part, one).part
        assert "secret" not in json.dumps(part)
    assert part == {"messages": {}, "is_crowded": False, "count": 1}


def test_the_oldest_are_forgotten_and_what_becomes_of_them_is_still_told(monkeypatch):
    most = FORGOTTEN_AT_ONCE + 10
    monkeypatch.setattr("processors.participants.chat.MAX_MESSAGES", most)
    crowd = [chat("s", 5, n, T + n, f"m{n}", "hi") for n in range(most + 1)]
    late = T + 9_000
    *_, changed, deleted, recent, end = written(
        *crowd, chat("s", 5, 8001, late, "m0", "ho", "update"), chat("s", 5, 8002, late, "m1", "", "delete"),
        chat("s", 5, 8003, late, f"m{most}", "ho", "update"),
    )  # fmt: skip
    assert [(one.event, one.timestamp_ms) for one in (changed, deleted, recent)] == [
        (CHAT_MESSAGE, late), (CHAT_MESSAGE_DELETED, late), (CHAT_MESSAGE, T + most),
    ]  # fmt: skip
    again = chat_messages.revised(changed.event_id)
    assert again.message_id == chat_message_id("s", "m0")
    assert again.revision == len(crowd)
    assert end.count == len(crowd) + 3


def test_the_end_waits_for_both_topics():
    over = [record("s", RecordKind.END, 5, 0, T)]
    with pytest.raises(AssertionError, match="the session never ends"):
        survived(ParticipantsLogic(), {EVENTS.name: over}, lambda s, work: [participant_event(s, work)], CHAT_EVENTS)
