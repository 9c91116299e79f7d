from dataclasses import replace

import pytest

from ingest.ownership import Action, Deadlines, Reply, decide, reply
from schemas.records import AppSession, HistoryEntry, StreamRequest
from schemas.sessions import State

REQUEST = StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z")
ENTRY = HistoryEntry(event_type="app_session_disconnected", old_state="", new_state="", created_at_ms=5_000)


def session(state, epoch=7):
    return AppSession(
        session_id="app_1",
        project_id="proj_1",
        state=state,
        request=REQUEST,
        settings="{}",
        metadata=None,
        history=(ENTRY,),
        recording_state="",
        transcription_state="",
        awaiting=(),
        created_at_ms=1_000,
        epoch=epoch,
        folded_offset=9,
    )


@pytest.mark.parametrize(
    ("state", "held", "action"),
    [
        ("connecting", None, Action.CLAIM),
        ("connected", None, Action.CLAIM),
        ("connected", 7, Action.NOTHING),
        ("connecting", 8, Action.NOTHING),  # our newer claim is not folded yet
        ("connected", 6, Action.LET_GO),
        ("disconnecting", None, Action.CLAIM_TO_FINISH),
        ("disconnecting", 7, Action.FINISH),
        ("disconnecting", 6, Action.LET_GO),
        ("post_processing", None, Action.NOTHING),
        ("post_processing", 7, Action.LET_GO),
        ("ended", 7, Action.LET_GO),
        ("fatal_error", 7, Action.LET_GO),
        ("ended", None, Action.NOTHING),
    ],
)
def test_decisions(state, held, action):
    assert decide(session(state), held) is action


def test_every_state_has_an_answer():
    for state in State:
        assert decide(session(state), None) in Action


def test_deadlines():
    deadlines = Deadlines(connecting_ms=100, disconnecting_ms=150, post_processing_ms=200, total_ms=300)
    assert deadlines.passed(session("connecting"), 1_100, 0) is None
    assert deadlines.passed(session("connecting"), 1_101, 0) == "connecting"
    assert deadlines.passed(replace(session("connecting"), connected_once=True), 9_999, 0) is None
    assert deadlines.passed(session("disconnecting"), 5_150, 0) is None
    assert deadlines.passed(session("disconnecting"), 5_151, 0) == "disconnecting"
    assert deadlines.passed(session("post_processing"), 5_200, 0) is None
    assert deadlines.passed(session("post_processing"), 5_201, 0) == "post_processing"
    assert deadlines.passed(session("connected"), 1_300, 0) is None
    assert deadlines.passed(session("connected"), 1_301, 0) == "total"
    assert deadlines.passed(session("ended"), 10**9, 0) is None


def test_who_takes_over_long_after_the_end_was_asked_for_has_its_own_time_to_disconnect():
    deadlines = Deadlines(connecting_ms=100, disconnecting_ms=150, post_processing_ms=200, total_ms=300)
    assert deadlines.passed(session("disconnecting"), 10**6 + 150, owned_since_ms=10**6) is None
    assert deadlines.passed(session("disconnecting"), 10**6 + 151, owned_since_ms=10**6) == "disconnecting"


@pytest.mark.parametrize(
    ("held_epoch", "claimed_epoch", "expected"),
    [
        (None, 9, Reply.NOT_HELD),
        (7, 9, Reply.LET_GO),
        (7, 7, Reply.NOT_NEWER),
        (7, 3, Reply.NOT_NEWER),
        (0, 1, Reply.LET_GO),
    ],
)
def test_a_claim_counts_when_it_is_newer_than_what_is_held(held_epoch, claimed_epoch, expected):
    assert reply(held_epoch, claimed_epoch) is expected
