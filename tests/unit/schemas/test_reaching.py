"""Who claimed a session last can be reached by whoever claims it next, and by nobody once it is over."""

import pytest

from schemas import topics
from schemas.codec import Codec
from schemas.records import FactKind, SessionFact
from schemas.sessions import LIVE, State
from tests.unit.schemas.test_sessions import CONNECTED, DISCONNECTED, OVER, WHOLE, fact, life, requested


def claimed(address):
    return fact("claimed", worker="w", address=address)


def test_the_newest_come_first_and_the_oldest_are_forgotten():
    state = life(requested(), *(claimed(f"10.0.0.{number}:9090") for number in (1, 2, 1, 3, 4)))
    assert state.addresses == ("10.0.0.4:9090", "10.0.0.3:9090", "10.0.0.1:9090")


def test_who_claims_a_session_again_is_not_all_that_is_known():
    assert life(requested(), claimed("a:1"), claimed("b:1"), claimed("b:1")).addresses == ("b:1", "a:1")


def test_who_cannot_be_reached_leaves_the_others_known():
    assert life(requested(), claimed("a:1"), claimed(None)).addresses == ("a:1",)


def test_nobody_is_reached_once_the_session_is_not_live():
    facts = (requested(), claimed("a:1"), CONNECTED, OVER, DISCONNECTED, *WHOLE[5:])
    seen = [life(*facts[: count + 1]) for count in range(len(facts))]
    assert [state.addresses for state in seen if state.state in LIVE] == [(), ("a:1",), ("a:1",), ("a:1",)]
    assert [state.addresses for state in seen if state.state not in LIVE] == [(), (), (), ()]
    assert seen[-1].state == State.ENDED
    assert life(claimed("late:1"), state=seen[-1], offset=20).addresses == ()
    assert life(requested(), claimed("a:1"), fact("connection_failed", epoch="claim")).addresses == ()


@pytest.mark.parametrize("address", ["[fd00::1]:9090", None])
def test_the_topics_carry_them(address):
    codec = Codec.with_ids_from(topics.ALL)
    said = SessionFact(session_id="app_1", kind=FactKind.CLAIMED, worker="w", address=address)
    assert codec.decode(topics.SESSION_FACTS, codec.encode(topics.SESSION_FACTS, said)) == said
    state = life(requested(), claimed(address))
    assert codec.decode(topics.APP_SESSIONS, codec.encode(topics.APP_SESSIONS, state)) == state
