"""What receivers are told, key by key, and who they are."""

import json
import uuid
from dataclasses import replace

import pytest

from schemas import ids
from schemas import settings as session_settings
from schemas.records import (
    AppSession,
    HistoryEntry,
    OutputKind,
    ParticipantEvent,
    SessionChange,
    StreamRequest,
    Utterance,
    UtteranceStatus,
    WebhookSubscription,
)
from schemas.settings import Engine, SessionSettings
from schemas.triggers import Trigger
from sinks.webhooks.envelopes import delivery_id, envelope, idempotency_key, news_of
from sinks.webhooks.receivers import own_id, receivers

SESSION = AppSession(
    session_id="app_1", project_id="p", state="connected", settings="{}", metadata='{"a":"b"}', history=(),
    request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
    recording_state="not_started", transcription_state="not_started", awaiting=(), created_at_ms=1, epoch=-1,
    folded_offset=0,
)  # fmt: skip
CHANGE = SessionChange(
    session_id="app_1", project_id="p", sequence=4,
    change=HistoryEntry(event_type="fatal_error", sub_type="zoom_connection_failed", old_state="connecting",
                        new_state="fatal_error", created_at_ms=1_700_000_000_123, metadata='{"reason":"x"}'),
)  # fmt: skip
SAID = Utterance(
    session_id="app_1", kind=OutputKind.ITEM, utterance_id="utt_1", engine="zoom", text="hi", participant_id=7,
    participant_name="Ada", start_ms=10, end_ms=30, language="en",
)  # fmt: skip
CAME = ParticipantEvent(
    session_id="app_1", kind=OutputKind.ITEM, event_id="pe_1", event="join", participant_id=7, participant_name="Ada",
    timestamp_ms=5,
)  # fmt: skip
WROTE = replace(
    CAME, event="chat_message", event_id="msg_1.3", timestamp_ms=5999,
    details='{"text":"hi","to":"only_bot","additional":{"message_id":"zoom\'s"}}',
)  # fmt: skip


def test_a_change_of_state():
    news = news_of(CHANGE, SESSION)
    assert envelope(news, SESSION, "whd_1") == {
        "idempotency_key": idempotency_key("whd_1"),
        "app_session_id": "app_1",
        "app_session_metadata": {"a": "b"},
        "trigger": "bot.state_change",
        "data": {
            "event_type": "fatal_error",
            "event_sub_type": "zoom_connection_failed",
            "event_metadata": {"reason": "x"},
            "old_state": "connecting",
            "new_state": "fatal_error",
            "created_at": "2023-11-14T22:13:20.123000+00:00",
        },
    }


def test_how_far_an_async_transcription_is():
    told = {"id": "tran_1", "state": "failed", "failure_data": {"failure_reasons": ["timed_out"]}}
    entry = HistoryEntry(event_type="async_transcription_state_change", old_state="ended", new_state="ended",
                         created_at_ms=1, metadata=json.dumps(told))  # fmt: skip
    news = news_of(replace(CHANGE, change=entry), SESSION)
    assert news.trigger == "async_transcription.state_change"
    assert news.data == told
    triggers = (str(news.trigger),)
    subscribed = WebhookSubscription(
        subscription_id="w", project_id="p", url="https://a", secrets_encrypted=(), triggers=triggers, created_at_ms=1
    )
    assert [one.subscription_id for one in receivers(SESSION, [subscribed], news.trigger, 5)] == ["w"]


def test_what_a_side_transcript_says_is_told_when_it_is_read():
    assert news_of(replace(SAID, engine="tran_1", recognised_by="zoom"), SESSION) is None


def test_what_somebody_said():
    news = news_of(SAID, SESSION)
    assert news.trigger is Trigger.TRANSCRIPT
    known = {
        "speaker_name": "Ada",
        "speaker_uuid": ids.participant_uuid("app_1", 7),
        "speaker_user_uuid": None,
        "speaker_is_host": False,
        "timestamp_ms": 10,
        "duration_ms": 20,
        "transcription": {"transcript": "hi"},
    }
    assert known.items() <= news.data.items()
    assert news.data["is_final"] is True


@pytest.mark.parametrize(
    "changed",
    [{"status": UtteranceStatus.PARTIAL}, {"status": UtteranceStatus.FAILED, "text": ""}, {"text": ""},
     {"kind": OutputKind.END}, {"engine": "moonshine"}],
)  # fmt: skip
def test_what_is_not_final_or_not_the_first_engines_is_not_told(changed):
    assert news_of(replace(SAID, **changed), SESSION) is None


def test_what_zoom_has_deleted_is_told_without_words():
    """Once, and never again what was said before: each revision is a delivery of its own."""
    gone = replace(SAID, text="", revision=2, withdraws=True)
    news = news_of(gone, SESSION)
    assert (news.data["transcription"], news.data["revision"]) == ({"transcript": ""}, 2)
    assert news.data["segment_id"] == SAID.utterance_id
    assert len({delivery_id("w", "app_1", news_of(one, SESSION)) for one in (SAID, gone, SAID, gone)}) == 2


def test_a_session_with_two_engines_tells_each_line_once():
    both = replace(SESSION, settings=session_settings.dumps(SessionSettings(engines=(Engine.MOONSHINE, Engine.ZOOM))))
    assert news_of(SAID, both) is None
    assert news_of(replace(SAID, engine="moonshine"), both) is not None


def test_who_came_and_who_spoke():
    joined = news_of(CAME, SESSION)
    assert joined.trigger is Trigger.JOIN_LEAVE
    assert joined.data == {
        "id": "pe_1", "participant_name": "Ada", "participant_uuid": ids.participant_uuid("app_1", 7),
        "participant_user_uuid": None, "participant_is_host": False, "event_type": "join", "event_data": {},
        "timestamp_ms": 5,
    }  # fmt: skip
    assert news_of(replace(CAME, event="speech_start"), SESSION).trigger is Trigger.SPEECH
    assert news_of(replace(CAME, kind=OutputKind.END), SESSION) is None
    assert news_of(replace(CAME, event="what a later release tells"), SESSION) is None


def test_what_somebody_wrote():
    news = news_of(WROTE, SESSION)
    assert news.trigger is Trigger.CHAT
    assert news.data == {
        "id": "msg_1", "text": "hi", "timestamp_ms": 5999, "timestamp": 5, "to": "only_bot", "sender_name": "Ada",
        "sender_uuid": ids.participant_uuid("app_1", 7), "sender_user_uuid": None,
        "additional_data": {"message_id": "zoom's", "revision": 3},
    }  # fmt: skip


def test_that_a_message_is_deleted():
    details = '{"to":"only_bot","additional":{"is_deleted":true}}'
    news = news_of(replace(WROTE, event="chat_message_deleted", event_id="msg_1.4", details=details), SESSION)
    assert news.trigger is Trigger.CHAT
    assert (news.data["id"], news.data["text"]) == ("msg_1", "")
    assert news.data["additional_data"] == {"is_deleted": True, "revision": 4}
    assert delivery_id("webhook_1", "app_1", news) != delivery_id("webhook_1", "app_1", news_of(WROTE, SESSION))


def test_ids_tell_receivers_and_items_apart_and_what_was_written_twice_not():
    said, came = news_of(SAID, SESSION), news_of(CAME, SESSION)
    assert delivery_id("webhook_1", "app_1", said) == delivery_id("webhook_1", "app_1", news_of(SAID, SESSION))
    corrected = news_of(replace(SAID, revision=SAID.revision + 1), SESSION)
    others = [("webhook_2", "app_1", said), ("webhook_1", "app_2", said), ("webhook_1", "app_1", corrected),
              ("webhook_1", "app_1", came)]  # fmt: skip
    assert len({delivery_id(*other) for other in [("webhook_1", "app_1", said), *others]}) == 5
    assert uuid.UUID(idempotency_key("whd_1")).version == 4


def subscription(number, **changed):
    return replace(
        WebhookSubscription(
            subscription_id=f"webhook_{number}", project_id="p", url=f"https://{number}.example",
            triggers=("bot.state_change",), secrets_encrypted=(), created_at_ms=100,
        ),
        **changed,
    )  # fmt: skip


def test_the_projects_subscriptions():
    known = [
        subscription(1),
        subscription(2, triggers=("transcript.update",)),
        subscription(3, is_active=False),
        subscription(4, created_at_ms=300),
    ]
    assert [entry.subscription_id for entry in receivers(SESSION, known, "bot.state_change", 200)] == ["webhook_1"]


def test_a_sessions_own_stand_in_their_place_even_where_they_want_something_else():
    hooks = '[{"url":"https://own.example","triggers":["transcript.update"]}]'
    own = replace(SESSION, webhooks=hooks)
    assert receivers(own, [subscription(1)], "bot.state_change", 200) == []
    [entry] = receivers(own, [subscription(1)], "transcript.update", 200)
    assert entry == (own_id("app_1", "https://own.example"), "https://own.example")
