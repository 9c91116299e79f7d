"""The live view of sessions: who sees what, and waiting for a fact."""

import asyncio
import threading
from dataclasses import replace

from api.live_sessions import LiveSessions
from schemas.records import AppSession, StreamRequest

SESSION = AppSession(
    session_id="app_1", project_id="p1", state="connecting", settings="{}", metadata=None, history=(),
    request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
    recording_state="not_started", transcription_state="not_started", awaiting=(), created_at_ms=1, epoch=-1,
    folded_offset=4,
)  # fmt: skip


def test_sessions_belong_to_their_project():
    sessions = LiveSessions()
    sessions.apply("app_1", SESSION)
    assert sessions.get("p1", "app_1") == SESSION
    assert sessions.get("p2", "app_1") is None
    assert sessions.get("p1", "app_2") is None
    assert sessions.of_project("p1") == [SESSION]
    assert sessions.of_project("p2") == []


def test_the_newest_record_counts_and_a_tombstone_deletes():
    sessions = LiveSessions()
    sessions.apply("app_1", SESSION)
    newer = replace(SESSION, state="connected", folded_offset=5)
    sessions.apply("app_1", newer)
    assert sessions.of_project("p1") == [newer]
    sessions.apply("app_1", None)
    assert sessions.get("p1", "app_1") is None
    assert sessions.of_project("p1") == []


async def test_what_is_folded_already_is_answered_at_once():
    sessions = LiveSessions()
    sessions.apply("app_1", SESSION)
    assert await sessions.folded("app_1", 4, 0.1) == SESSION


async def test_waiting_ends_with_the_state_that_has_the_fact_in_it():
    sessions = LiveSessions()
    waiting = [asyncio.create_task(sessions.folded("app_1", offset, 60)) for offset in (5, 6, 6)]
    await asyncio.sleep(0)
    for offset in (4, 5, 7):
        thread = threading.Thread(target=sessions.apply, args=("app_1", replace(SESSION, folded_offset=offset)))
        thread.start()
        thread.join()
    assert [state.folded_offset for state in await asyncio.gather(*waiting)] == [5, 7, 7]


async def test_waiting_is_bounded_and_leaves_nothing_behind():
    sessions = LiveSessions()
    sessions.apply("app_1", SESSION)
    assert await sessions.folded("app_1", 5, 0.01) is None
    assert await sessions.folded("app_2", 0, 0.01) is None
    assert sessions._waiting == {}
    sessions.apply("app_1", replace(SESSION, folded_offset=9))
