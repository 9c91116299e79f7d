"""A medium that Zoom refuses is one of the session's failures, and stops nothing."""

from schemas.refusals import MAX_REFUSALS
from schemas.sessions import State
from tests.unit.schemas.test_sessions import CLAIMED, CONNECTED, WHOLE, fact, life, requested

REFUSED = fact("medium_refused", reason="chat: media_type_chat_not_support")


def test_it_is_said_once_however_often_it_is_heard():
    state = life(requested(), CLAIMED, REFUSED, CONNECTED, REFUSED)
    assert state.failures == ("chat: media_type_chat_not_support",)
    assert (state.state, len(state.history)) == (State.CONNECTED, 2)


def test_it_stops_nothing_and_is_there_in_the_end():
    state = life(*WHOLE[:2], REFUSED, *WHOLE[2:])
    assert (state.state, state.failures) == (State.ENDED, ("chat: media_type_chat_not_support",))


def test_without_words_it_says_nothing():
    assert life(requested(), CLAIMED, fact("medium_refused"), fact("medium_refused", reason="")).failures == ()


def test_no_more_of_them_are_kept_than_make_sense():
    many = [fact("medium_refused", reason=str(number)) for number in range(2 * MAX_REFUSALS)]
    assert len(life(requested(), CLAIMED, *many).failures) == MAX_REFUSALS
