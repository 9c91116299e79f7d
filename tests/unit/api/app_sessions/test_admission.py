"""What is given back of a claim, by what has become of its session."""

from dataclasses import replace

import pytest

from api.app_sessions.admission import NEVER_REQUESTED_MS, due
from schemas.claims import Decision, Holding, Verdict
from schemas.records import AppSession, ClaimKind, StreamRequest
from schemas.sessions import State

SESSION = AppSession(
    session_id="app_1", project_id="p", state="ended", settings="{}", metadata=None, history=(),
    request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
    recording_state="not_started", transcription_state="not_started", awaiting=(), created_at_ms=1, epoch=-1,
    folded_offset=0,
)  # fmt: skip
HOLDING = Holding("app_1", 5, 0)


@pytest.mark.parametrize(
    ("state", "of_limit", "of_key"),
    [
        (State.CONNECTING, None, None),
        (State.CONNECTED, None, None),
        (State.DISCONNECTING, None, None),
        (State.POST_PROCESSING, ClaimKind.LEFT, None),
        (State.ENDED, ClaimKind.RELEASED, ClaimKind.RELEASED),
        (State.FATAL_ERROR, ClaimKind.RELEASED, ClaimKind.RELEASED),
        (State.DATA_DELETED, ClaimKind.RELEASED, ClaimKind.RELEASED),
    ],
)
def test_live_sessions_keep_theirs_and_a_key_is_kept_until_the_end(state, of_limit, of_key):
    session = replace(SESSION, state=state)
    assert due(session, HOLDING, Decision(Verdict.LIMIT, 1)) is of_limit
    assert due(session, HOLDING, Decision(Verdict.DUPLICATE, 1)) is of_key


def test_a_claim_whose_session_nobody_knows_is_given_time():
    assert due(None, HOLDING, Decision(Verdict.LIMIT, NEVER_REQUESTED_MS)) is None
    assert due(None, HOLDING, Decision(Verdict.LIMIT, NEVER_REQUESTED_MS + 1)) is ClaimKind.RELEASED
