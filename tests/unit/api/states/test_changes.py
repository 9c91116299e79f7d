"""A session's states as events."""

import json
from dataclasses import replace

from api.feeds.cursors import NEW, Cursor
from api.states import changes
from schemas.records import AppSession, HistoryEntry, StreamRequest

STEPS = ("ready", "connecting", "connected", "disconnecting", "post_processing", "ended")
HISTORY = tuple(
    HistoryEntry(event_type=f"to_{new}", old_state=old, new_state=new, created_at_ms=1, metadata='{"a": 1}')
    for old, new in zip(STEPS, STEPS[1:], strict=False)
)


def session(steps: int) -> AppSession:
    return AppSession(
        session_id="app_1", project_id="p1", state=STEPS[steps], settings="{}", metadata=None, history=HISTORY[:steps],
        request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
        recording_state="not_started", transcription_state="not_started", awaiting=(), created_at_ms=1, epoch=-1,
        folded_offset=4,
    )  # fmt: skip


def news(steps: int, position: int):
    return [(event.name, str(event.at)) for event in changes.news(session(steps), Cursor(3, position))]


def test_everything_after_the_cursor_is_told():
    assert news(2, NEW) == [("state_change", "3-0"), ("state_change", "3-1")]
    assert news(3, 1) == [("state_change", "3-2")]
    assert news(3, 2) == []


def test_what_is_said_is_what_webhooks_say():
    [event] = changes.news(session(1), Cursor(3, NEW))
    assert json.loads(event.data) == {
        "sequence": 0, "event_type": "to_connecting", "event_sub_type": None, "event_metadata": {"a": 1},
        "old_state": "ready", "new_state": "connecting", "created_at": "1970-01-01T00:00:00.001000+00:00",
    }  # fmt: skip


def test_what_happens_to_a_side_transcript_has_a_name_of_its_own():
    changed = HistoryEntry(
        event_type="async_transcription_state_change", old_state="ended", new_state="ended", created_at_ms=1,
        metadata='{"id": "tran_1", "state": "complete", "failure_data": null}',
    )  # fmt: skip
    paused = replace(changed, event_type="recording_paused", metadata="{}")
    later = replace(session(5), history=(*HISTORY, paused, changed))
    told = list(changes.news(later, Cursor(3, 4, is_end=True)))
    assert [event.name for event in told] == ["recording_change", "async_transcription_change", "end"]
    assert json.loads(told[1].data)["event_metadata"]["id"] == "tran_1"


def test_who_is_over_ends_and_who_knows_it_has_nothing_to_come_back_for():
    assert news(5, 3) == [("state_change", "3-4"), ("end", "3-4-end")]
    assert changes.is_over(session(5), Cursor(3, 4, is_end=True))
    assert not changes.is_over(session(5), Cursor(3, 4))
    deleted = replace(session(5), state="data_deleted", history=(*HISTORY, HISTORY[-1]))
    assert not changes.is_over(deleted, Cursor(3, 4, is_end=True))
    assert [event.name for event in changes.news(deleted, Cursor(3, 4, is_end=True))] == ["state_change", "end"]


def test_a_cursor_may_be_ahead_of_this_replica():
    assert changes.is_ahead(session(2), Cursor(3, 2))
    assert not changes.is_ahead(session(2), Cursor(3, 1))
    assert not changes.is_ahead(session(2), Cursor(3, NEW))
