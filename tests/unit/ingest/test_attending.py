"""A stream that Zoom stops for a reason that may pass is waited for, and for no other and no longer."""

import asyncio

import pytest

from connectors.rtms.protocol.codes import Status, StopReason
from connectors.rtms.protocol.events import EndCause
from connectors.rtms.session import SessionOutcome
from ingest.attending import Attending

LONG_S = 60.0


def over(cause, code=None, *, retryable=False, connected=True):
    return SessionOutcome(cause, code, retryable, True, connected, 0, 0)


STOPPED = over(EndCause.STOPPED, StopReason.INSTANCE_CONNECTION_INTERRUPTED, retryable=True)
ENDED = over(EndCause.STOPPED, StopReason.MEETING_ENDED)
UNKNOWN = over(EndCause.REFUSED, Status.INVALID_RTMS_STREAM_ID, connected=False)
LOST = over(EndCause.WINDOW_PASSED, retryable=True)
GONE = over(EndCause.GONE, Status.INVALID_RTMS_STREAM_ID)
REVOKED = over(EndCause.STOPPED, StopReason.STREAM_REVOKED, connected=False)


class Zoom:
    """Streams that end as the test says, one after the other."""

    def __init__(self):
        self.running, self.stops = [], 0

    def stopped(self):
        self.stops += 1

    async def connect(self):
        self.running.append(asyncio.get_running_loop().create_future())
        return self

    async def run(self):
        return await self.running[-1]


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def begun(new_start_s=LONG_S, left_s=None):
    zoom = Zoom()
    zoom.left_s = left_s
    attending = Attending("app_1", zoom.connect, new_start_s, zoom.stopped, lambda: zoom.left_s)
    running = asyncio.create_task(attending.run())
    await settle()
    return zoom, attending, running


async def ends(zoom, outcome):
    zoom.running[-1].set_result(outcome)
    await settle()


async def test_a_stream_that_is_announced_again_in_time_is_gone_back_to_as_often_as_it_happens():
    zoom, attending, running = await begun()
    assert attending.connected() is False
    for number in (2, 3):
        await ends(zoom, STOPPED)
        assert (len(zoom.running), attending.session, zoom.stops) == (number - 1, None, number - 1)
        attending.announced()
        await settle()
        assert (len(zoom.running), attending.session) == (number, zoom)
        assert [attending.connected(), attending.connected()] == [True, False]
    await ends(zoom, ENDED)
    assert running.result() is ENDED


async def test_who_is_not_announced_in_time_has_ended_as_zoom_said():
    zoom, _, running = await begun(new_start_s=0.01)
    await ends(zoom, STOPPED)
    assert await running is STOPPED
    assert len(zoom.running) == 1


@pytest.mark.parametrize("outcome", [ENDED, UNKNOWN, LOST])
async def test_other_ends_are_for_good(outcome):
    zoom, _, running = await begun()
    await ends(zoom, outcome)
    assert running.result() is outcome
    assert zoom.stops == 0


async def test_a_late_copy_of_an_announcement_does_not_end_the_waiting():
    zoom, attending, running = await begun()
    await ends(zoom, STOPPED)
    attending.announced()
    await settle()
    await ends(zoom, UNKNOWN)
    assert not running.done()
    attending.announced()
    await settle()
    await ends(zoom, ENDED)
    assert (running.result(), len(zoom.running)) == (ENDED, 3)


async def test_what_was_announced_while_it_still_ended_counts_and_what_came_before_it_was_connected_does_not():
    zoom, attending, _ = await begun()
    attending.announced()
    attending.connected()
    await ends(zoom, STOPPED)
    assert len(zoom.running) == 1
    attending.announced()
    await settle()
    attending.connected()
    attending.announced()
    await ends(zoom, STOPPED)
    assert len(zoom.running) == 3


async def test_what_zoom_says_instead_of_beginning_anew_counts():
    zoom, attending, running = await begun()
    await ends(zoom, STOPPED)
    attending.announced()
    await settle()
    await ends(zoom, REVOKED)
    assert running.result() is REVOKED


async def test_who_leaves_waits_for_nothing():
    zoom, attending, running = await begun()
    await ends(zoom, STOPPED)
    attending.leave()
    await settle()
    assert (running.result(), len(zoom.running)) == (STOPPED, 1)


async def test_who_takes_over_in_the_middle_of_a_wait_goes_on_waiting():
    zoom, attending, running = await begun(left_s=LONG_S)
    await ends(zoom, UNKNOWN)
    assert not running.done()
    attending.announced()
    await settle()
    assert len(zoom.running) == 2
    assert attending.connected() is True
    await ends(zoom, ENDED)
    assert running.result() is ENDED
    assert zoom.stops == 0


@pytest.mark.parametrize("broken", [LOST, GONE])
async def test_what_zoom_says_by_webhook_alone_is_waited_for_as_well(broken):
    """The socket that would have said it is the one that broke."""
    zoom, attending, running = await begun()
    attending.connected()
    zoom.left_s = LONG_S
    await ends(zoom, broken)
    assert (running.done(), zoom.stops) == (False, 0)
    attending.announced()
    await settle()
    assert attending.connected() is True
    zoom.left_s = None
    await ends(zoom, broken)
    assert (running.result(), len(zoom.running)) == (broken, 2)


@pytest.mark.parametrize("own", [over(EndCause.CLOSED), over(EndCause.HANDED_OVER)])
async def test_what_ended_by_our_own_will_is_not_waited_for(own):
    zoom, _, running = await begun(left_s=LONG_S)
    await ends(zoom, own)
    assert running.result() is own


async def test_it_waits_for_what_is_left_and_no_longer():
    zoom, _, running = await begun(left_s=0.05)
    await ends(zoom, UNKNOWN)
    async with asyncio.timeout(LONG_S / 2):
        assert await running is UNKNOWN


async def test_what_began_anew_before_it_was_taken_over_is_simply_there():
    zoom, attending, running = await begun(left_s=LONG_S)
    assert attending.connected() is False
    await ends(zoom, ENDED)
    assert running.result() is ENDED


async def test_what_is_stopped_again_is_waited_for_as_long_as_ever():
    zoom, attending, running = await begun(left_s=0.0)
    attending.connected()
    await ends(zoom, STOPPED)
    assert (zoom.stops, running.done()) == (1, False)
    attending.leave()
    await settle()
    assert running.result() is STOPPED
