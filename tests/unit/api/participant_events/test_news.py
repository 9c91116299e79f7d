"""What is told of participant events."""

import json

from api.feeds.news import Entry, FeedKey
from api.participant_events.news import ParticipantNews
from schemas.chat_messages import ChatDetails, dumps
from schemas.records import OutputKind, ParticipantEvent, Utterance

KEY = FeedKey("participant-events", "app_1", 3)


def test_comings_and_goings_are_told_once_and_the_end():
    came = ParticipantEvent(session_id="app_1", kind=OutputKind.ITEM, event_id="pe_1", event="join", participant_id=7,
                            participant_name="Ada", timestamp_ms=5)  # fmt: skip
    other = Utterance(session_id="app_1", kind=OutputKind.ITEM)
    end = ParticipantEvent(session_id="app_1", kind=OutputKind.END)
    news = ParticipantNews(KEY)
    events = [news.take(Entry(n, 0, "pe_1", value)) for n, value in enumerate((came, came, other, None, end))]
    assert [event and event.name for event in events] == ["participant_event", None, None, "removed", "end"]
    assert json.loads(events[0].data)["event_type"] == "join"


def test_a_message_is_told_as_it_changes_and_never_as_it_was():
    def wrote(revision, text, event="chat_message"):
        details = dumps(ChatDetails(text=text))
        return ParticipantEvent(session_id="app_1", kind=OutputKind.ITEM, event_id=f"msg_1.{revision}", event=event,
                                participant_id=7, timestamp_ms=5000, details=details)  # fmt: skip

    news = ParticipantNews(KEY)
    records = wrote(0, "helo"), wrote(0, "helo"), wrote(4, "hello"), wrote(0, "helo"), wrote(4, "hello")
    events = [news.take(Entry(n, 0, "msg_1.0", value)) for n, value in enumerate(records)]
    assert [event and event.name for event in events] == ["chat_message", None, "chat_message", None, None]
    told = [json.loads(event.data) for event in events if event]
    assert [(one["id"], one["text"], one["additional_data"]) for one in told] == [
        ("msg_1", "helo", {"revision": 0}), ("msg_1", "hello", {"revision": 4}),
    ]  # fmt: skip
    deleted = news.take(Entry(9, 0, "msg_1.5", wrote(5, "", "chat_message_deleted")))
    assert json.loads(deleted.data)["text"] == ""
    assert json.loads(news.take(Entry(10, 0, "msg_1.5", None)).data) == {"id": "msg_1"}
