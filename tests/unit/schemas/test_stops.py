"""How long a stream that Zoom stopped is waited for is known to whoever holds it."""

import pytest

from schemas.sessions import State
from schemas.stops import left_ms
from tests.unit.schemas.test_sessions import CLAIMED, CONNECTED, OVER, fact, life, requested

STOPPED = fact("stream_stopped", epoch="claim")
FLOWING = (requested(), CLAIMED, CONNECTED)


def test_it_is_stopped_until_media_flow_again():
    state = life(*FLOWING, STOPPED)
    assert state.stopped_at_ms == 1003
    assert (state.state, len(state.history)) == (State.CONNECTED, 2)
    assert life(CLAIMED, state=state, offset=4).stopped_at_ms == 1003, "whoever holds it"
    assert life(CLAIMED, CONNECTED, state=state, offset=4).stopped_at_ms is None
    again = life(CONNECTED, state=state, offset=4)
    assert (again.stopped_at_ms, again.history) == (None, state.history)


def test_before_it_was_connected_too():
    state = life(requested(), CLAIMED, STOPPED)
    assert (state.state, state.stopped_at_ms) == (State.CONNECTING, 1002)
    assert life(CONNECTED, state=state, offset=3).stopped_at_ms is None


def test_who_lost_its_claim_says_nothing_about_it():
    assert life(*FLOWING, fact("stream_stopped", epoch=0)).stopped_at_ms is None


def test_whoever_takes_zooms_webhooks_holds_no_claim_and_says_it_all_the_same():
    assert life(*FLOWING, fact("stream_stopped", source="zoom_webhook")).stopped_at_ms == 1003


@pytest.mark.parametrize("end", [OVER, fact("end_requested", source="api")])
def test_what_is_to_end_is_not_started_again(end):
    ending = life(*FLOWING, end, STOPPED)
    assert (ending.state, ending.stopped_at_ms) == (State.DISCONNECTING, None)


def test_what_is_left_of_the_wait():
    state = life(*FLOWING, STOPPED)
    assert left_ms(life(*FLOWING), 60_000, 2_000) is None
    assert left_ms(state, 60_000, 21_003) == 40_000
    assert left_ms(state, 60_000, 90_000) == 0
    assert left_ms(state, 60_000, 0) == 60_000, "clocks differ"
