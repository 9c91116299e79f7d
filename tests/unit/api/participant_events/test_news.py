"""What is told of participant events."""

import json

from api.feeds.news import Entry, FeedKey
from api.participant_events.news import ParticipantNews
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
