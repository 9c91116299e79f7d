"""Deadlines and links."""

import pytest

from connectors.rtms.protocol.errors import LocalError
from connectors.rtms.protocol.life import LIFE, Phase, Turn
from connectors.rtms.protocol.links import HAS_SOCKET, STEPS, Deadlines, Link, LinkState, Step
from connectors.rtms.protocol.outbox import Outbox
from connectors.rtms.protocol.ticks import NEVER_MS


def test_deadlines_come_one_at_a_time_in_their_order() -> None:
    deadlines = Deadlines()
    assert deadlines.earliest_ms == NEVER_MS
    assert deadlines.pop_passed(5) is None
    deadlines.set("late", 30)
    deadlines.set("soon", 10)
    deadlines.set("moved", 5)
    deadlines.set("moved", 20)
    deadlines.cancel("late", "never set")
    assert deadlines.earliest_ms == 5
    assert deadlines.pop_passed(9) is None
    assert deadlines.earliest_ms == 10
    assert [deadlines.pop_passed(25) for _ in range(3)] == ["soon", "moved", None]
    assert deadlines.earliest_ms == NEVER_MS


def test_cleared_deadlines_are_gone() -> None:
    deadlines = Deadlines()
    deadlines.set("x", 1)
    deadlines.clear()
    assert deadlines.earliest_ms == NEVER_MS
    assert deadlines.pop_passed(2) is None


def test_addresses_take_turns_and_absence_counts_from_the_first_question() -> None:
    link = Link("signaling", 60_000, ("wss://a", "wss://b"))
    assert link.url == "wss://a"
    link.attempt = 3
    assert link.url == "wss://b"
    assert (link.away_ms(100), link.away_ms(350)) == (0, 250)


def test_an_outbox_hands_everything_out_once() -> None:
    out = Outbox()
    assert out.take_events() == []
    assert out.take_sends() == []
    out.sends.append(("signaling", b"x"))
    assert out.take_sends() == [("signaling", b"x")]
    assert out.take_sends() == []


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", LinkState)
@pytest.mark.parametrize("step", Step)
def test_every_step_leads_somewhere_or_is_told_to_be_a_bug(state: LinkState, step: Step) -> None:
    link = Link("audio", 60_000, state=state)
    if step in STEPS[state]:
        link.take(step)
        assert link.state is STEPS[state][step]
    else:
        with pytest.raises(LocalError, match="audio cannot be"):
            link.take(step)
        assert link.state is state


def test_the_steps_that_cannot_happen() -> None:
    impossible = {(state, step) for state in LinkState for step in Step if step not in STEPS[state]}
    only_from = {Step.OPENED: LinkState.OPENING, Step.ACCEPTED: LinkState.GREETING}
    assert impossible == {
        *((state, step) for step, source in only_from.items() for state in LinkState if state is not source),
        *((state, Step.WISHED) for state in (LinkState.OPENING, LinkState.GREETING, LinkState.UP)),
        *((state, Step.FAILED) for state in (LinkState.IDLE, LinkState.DRAINING, LinkState.WAITING)),
    }


def test_a_socket_can_be_given_up_in_every_state_and_is_gone_when_it_is_closed() -> None:
    for state, steps in STEPS.items():
        assert steps[Step.CLOSED] is LinkState.IDLE
        assert steps[Step.UNWANTED] is (LinkState.DRAINING if state in HAS_SOCKET else LinkState.IDLE)


def test_every_phase_comes_to_an_end() -> None:
    assert set(LIFE) == set(Phase)
    assert LIFE[Phase.OVER] == {}
    for phase in Phase:
        assert (Turn.HANDED_OVER in LIFE[phase]) == (phase in (Phase.NEW, Phase.RUNNING, Phase.LEAVING))
        assert (Turn.ENDED in LIFE[phase]) == (Turn.HANDED_OVER in LIFE[phase])
        assert (Turn.SETTLED in LIFE[phase]) == (phase in (Phase.ENDING, Phase.HANDING_OVER))
