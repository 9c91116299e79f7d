"""Deadlines and links."""

from connectors.rtms.protocol.links import Deadlines, Link
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
