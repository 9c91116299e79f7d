"""A worker leaves in the middle of two meetings, politely or not: another one goes on, no topic tells two stories.

A frozen one wakes when it has been replaced; RTMS_TEST_FROZEN_S=30 has it sleep for half a minute.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.ticks import REPEAT_MS, silences
from connectors.rtms.simulator.server import Simulator
from schemas import topics
from schemas.records import FactKind
from schemas.sessions import State
from tests.integration.ingest.conftest import (
    House,
    check_envelope,
    check_ticks,
    tally,
    truth_tally,
    wait_until,
)
from tests.integration.ingest.taking_over import (
    BOTH,
    LONG_S,
    REPLACED_S,
    Held,
    begun,
    believed,
    check_holes,
    check_silence,
    end,
    heard,
    holes_of,
    in_time,
    let_go,
    meeting_in,
    now_ms,
    ready_again,
    spoken,
    taken_over,
)
from tests.support.processes import PATIENCE_S

Simulate = Callable[..., Any]
FROZEN_S = float(os.environ.get("RTMS_TEST_FROZEN_S", "0"))
MISSED = ("video", "share", "captions", "chat", "events")
ANSWERED_MS = 1_500
"""A silent medium goes on with a pong, which on a busy machine comes when both sides have had their turn."""


async def test_a_worker_that_is_told_to_stop_hands_over(house: House, simulate: Simulate) -> None:
    meetings = await begun(house, simulate, rules=BOTH)
    leaving, since_ms = house.workers[meetings[0].worker], now_ms(meetings)
    leaving.ask_to_stop()
    for held in meetings:
        await taken_over(house, held, since_ms)
    await end(meetings)
    for held in meetings:
        await check_handed_over(house, held)
    await asyncio.to_thread(leaving.stop)
    assert leaving.exit_code() == 0


async def check_handed_over(house: House, held: Held) -> None:
    stream, session = held.stream, held.session
    done = await house.until(session, State.POST_PROCESSING)
    assert done.worker != held.worker
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    check_ticks(media)
    assert {r.epoch for r in media["video"]} == {held.state.epoch, done.epoch}
    assert heard(media["audio"]) == spoken(stream), "audio is complete, nothing twice"
    sent = {(s.user_id, s.timestamp_ms) for s in stream.truth.sent if s.medium is Medium.VIDEO}
    assert {(u, t) for u, t, _ in heard(media["video"])} == sent, "every picture Zoom sent before the close is there"
    holes = await holes_of(house, session, *MISSED)
    check_holes(stream, media, holes)
    check_silence(media, holes)
    assert "audio" not in holes
    (hole,) = holes["video"]
    missed_ms = hole.to_ms - hole.from_ms
    assert 0 < missed_ms <= 3000
    for medium, rule in silences().items():
        stated_ms = sum(hole.to_ms - hole.from_ms for hole in holes.get(medium, []))
        silent_ms = rule.slack_ms + rule.after_ms + REPEAT_MS + ANSWERED_MS
        assert stated_ms <= missed_ms + silent_ms, f"{medium} is silent, and late"
    assert [entry.new_state for entry in done.history].count(State.CONNECTED) == 1
    assert done.history[-2].metadata.endswith('"stopped: meeting_ended"}'), "Zoom ended it"


async def test_a_worker_that_dies_is_replaced(house: House, simulate: Simulate) -> None:
    meetings = await begun(house, simulate, rules=BOTH)
    since_ms = now_ms(meetings)
    await asyncio.to_thread(house.workers[meetings[0].worker].kill)
    for held in meetings:
        assert await taken_over(house, held, since_ms) < REPLACED_S, "its sockets died with it: Zoom noticed at once"
    await end(meetings)
    for held in meetings:
        await check_replaced(house, held)
    assert "Traceback" not in house.logs()


async def check_replaced(house: House, held: Held) -> None:
    stream, session = held.stream, held.session
    done = await house.until(session, State.POST_PROCESSING)
    assert done.worker != held.worker
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    assert {r.epoch for r in media["audio"]} == {held.state.epoch, done.epoch}
    said, got = spoken(stream), heard(media["audio"])
    assert len(set(got)) == len(got), "nothing twice"
    missing = set(said) - set(got)
    lost_ms = 100 * len(missing) / len(stream.meeting.participants)
    print(f"{lost_ms:.0f} ms of audio lost")
    holes = await holes_of(house, session, *MISSED)
    check_holes(stream, media, holes)
    check_silence(media, holes)
    (hole,) = holes["video"]
    assert hole.to_ms - hole.from_ms > 5000, "it took the group that long to notice"
    assert lost_ms < 3000, "only what the dead worker had not given to Kafka, or Zoom had given to a dead socket"


async def test_a_worker_that_is_frozen_is_replaced_and_lets_go_when_it_wakes(house: House, simulate: Simulate) -> None:
    """Who wakes joins again, and may be given the sessions back."""
    meetings = await begun(house, simulate, rules=BOTH)
    frozen, since_ms = house.workers[meetings[0].worker], now_ms(meetings)
    assert frozen.pid is not None
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        for held in meetings:
            assert await taken_over(house, held, since_ms) < in_time(held)
        wakes_ms = since_ms + 1000 * FROZEN_S
        await wait_until(lambda: now_ms(meetings) > wakes_ms, PATIENCE_S + FROZEN_S, lambda: "time stands still")
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    for held in meetings:
        await let_go(house, frozen, held)
    await end(meetings)
    for held in meetings:
        done = await house.until(held.session, State.POST_PROCESSING)
        assert done.epoch > held.state.epoch
        media = believed(await asyncio.to_thread(house.media, held.session))
        check_envelope(media)
        got = heard(media["audio"])
        assert len(set(got)) == len(got), "nothing twice"
        check_holes(held.stream, media, await holes_of(house, held.session, *MISSED))
    assert "Traceback" not in house.logs()


async def test_a_worker_that_joins_takes_its_share_and_nothing_else_is_disturbed(
    house: House, simulate: Simulate
) -> None:
    """The meetings end when it has been done, however long that took: nobody finishes what is on the move."""
    await asyncio.to_thread(house.only, "one")
    meetings = await everywhere(house, await simulate(speed=1.0))
    share, since_ms = len(meetings) // 2, now_ms(meetings)
    await asyncio.to_thread(house.worker, "two")
    await house.until_held({"one": share, "two": share})
    moved = [held for held in meetings if house.states[held.session].worker == "two"]
    for held in moved:
        await ready_again(house, held, since_ms)
    await end(meetings)
    ended = [await house.until(held.session, State.POST_PROCESSING) for held in meetings]
    every = await asyncio.to_thread(house.all_media, [held.session for held in meetings])
    for done, held in zip(ended, meetings, strict=True):
        media, has_moved = every[held.session], held in moved
        assert done.worker == ("two" if has_moved else "one")
        connections = [story for story in held.stream.truth.connections if story.kind == "signalling"]
        assert len(connections) == 1 + has_moved
        check_envelope(media)
        assert heard(media["audio"]) == spoken(held.stream)
        if not has_moved:
            assert tally(media) == truth_tally(held.stream)


async def everywhere(house: House, simulator: Simulator) -> list[Held]:
    """A meeting in each partition, which runs."""
    requests = [meeting_in(house, number, LONG_S) for number in range(house.kafka.partitions)]
    streams = [await simulator.start(request) for request in requests]
    sessions = [house.join(simulator, stream) for stream in streams]
    states = [await house.until(session, State.CONNECTED) for session in sessions]
    return [Held(*each) for each in zip(streams, sessions, states, strict=True)]


async def test_a_stream_announced_again_elsewhere_is_followed_by_the_worker_that_has_it(
    house: House, simulate: Simulate
) -> None:
    (held,) = await begun(house, simulate)
    stream, session, request = held.stream, held.session, held.state.request
    since_ms = now_ms([held])

    def announce(*urls: str) -> None:
        house.request(request.stream_id, request.zoom_app_id, *urls, meeting_id=request.meeting_id)

    announce(*request.server_urls)
    announce(f"{request.server_urls[0]}?elsewhere")
    await ready_again(house, held, since_ms)
    await end([held])
    done = await house.until(session, State.POST_PROCESSING)
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    check_ticks(media)
    assert {record.epoch for records in media.values() for record in records} == {held.state.epoch}
    assert heard(media["audio"]) == spoken(stream)
    holes = await holes_of(house, session, *MISSED)
    check_holes(stream, media, holes)
    check_silence(media, holes)
    facts = await asyncio.to_thread(house.records, topics.SESSION_FACTS, session)
    assert {fact.source for fact in facts if fact.kind is FactKind.HOLE_FOUND} == {"ingest"}
    assert len(held.connections) == 2, "the same addresses again are no reason to move"
    assert done.worker == held.worker
