"""What waits for a reader is bounded."""

import asyncio

from api.feeds.events import Event, Reason
from api.feeds.inbox import Inbox


def told(size: int) -> Event:
    return Event("x", "x" * size)


def test_events_come_out_in_order():
    inbox = Inbox(10)
    events = [told(3), told(4), told(3)]
    for event in events:
        inbox.put(event)
    assert [inbox.take() for _ in range(4)] == [*events, None]
    assert inbox.closed is None


def test_one_too_many_and_it_is_empty_and_closed():
    inbox = Inbox(10)
    for size in (5, 5, 1, 1):
        inbox.put(told(size))
    assert inbox.closed is Reason.TOO_SLOW
    assert inbox.take() is None


def test_what_is_taken_makes_room():
    inbox = Inbox(10)
    for _ in range(100):
        inbox.put(told(9))
        assert inbox.take() is not None
    assert inbox.closed is None


def test_one_event_fits_whatever_its_size():
    inbox = Inbox(10)
    inbox.put(told(1000))
    assert inbox.closed is None
    inbox.put(told(1))
    assert inbox.closed is Reason.TOO_SLOW


def test_the_first_reason_counts():
    inbox = Inbox(10)
    inbox.close(Reason.RESTARTING)
    inbox.close(Reason.TOO_SLOW)
    assert inbox.closed is Reason.RESTARTING


async def test_who_waits_is_woken_by_events_ends_and_calls():
    inbox = Inbox(10)
    assert not await inbox.wait(0.001)
    for act in (lambda: inbox.put(told(1)), inbox.wake, lambda: inbox.close(Reason.RESTARTING)):
        waiting = asyncio.create_task(inbox.wait(60))
        await asyncio.sleep(0)
        act()
        assert await waiting
