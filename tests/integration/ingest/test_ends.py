"""A session that is to end does so, whoever gets nowhere: Zoom, Kafka, or the worker that holds it."""

import asyncio
from collections.abc import Callable
from typing import Any

from connectors.rtms.protocol.codes import Medium, StopReason
from connectors.rtms.simulator import scenario_library
from connectors.rtms.simulator.channel import EndedBy
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream
from schemas import topics
from schemas.records import AppSession, FactKind, RecordKind
from schemas.sessions import State
from tests.integration.ingest.conftest import House, check_envelope, wait_until, wait_until_read
from tests.integration.ingest.taking_over import CHUNK_MS, LONG_S, heard, holes_of
from tests.support.processes import PATIENCE_S
from tests.support.topics import unwritable

Simulate = Callable[..., Any]
DEADLINE_S = 4


async def with_impatient(house: House, name: str) -> None:
    """The only worker is one that gives a session a few seconds to be finished."""
    settings = {"RTMS_INGEST_DISCONNECTING_DEADLINE_S": str(DEADLINE_S)}
    await asyncio.to_thread(lambda: house.worker(name, **settings))
    await asyncio.to_thread(house.only, name)


async def flowing(house: House, simulate: Simulate, *faults: Fault) -> tuple[Simulator, str, Stream, str]:
    """A meeting that is heard: its Zoom, the app, the stream and the session."""
    simulator = await simulate(speed=1.0)
    app = house.add_app(simulator.options.credentials)
    stream = await simulator.start(MeetingRequest(seconds=LONG_S, faults=faults))
    session = house.join(simulator, stream, app)
    await house.until(session, State.CONNECTED)
    await wait_until(lambda: len(stream.truth.sent) > 30, PATIENCE_S, lambda: "Zoom sends nothing")
    return simulator, app, stream, session


async def ending(house: House, simulate: Simulate, *faults: Fault) -> tuple[Stream, str]:
    """A meeting that runs; its stream and session."""
    _, _, stream, session = await flowing(house, simulate, *faults)
    return stream, session


async def given_up(house: House, session: str) -> AppSession:
    done = await house.until(session, State.POST_PROCESSING)
    assert "not disconnected in time" in done.history[-1].metadata
    return done


async def test_zoom_does_not_hear_that_the_stream_is_to_end(house: House, simulate: Simulate) -> None:
    """Nothing of what it goes on sending is waited for, and nobody has to give up."""
    stream, session = await ending(house, simulate, Fault(kind=FaultKind.UNHEARD_CLOSE))
    house.state(session, FactKind.END_REQUESTED, source="api")
    done = await house.until(session, State.POST_PROCESSING)
    assert not stream.is_over
    assert done.history[-1].metadata == "{}"
    check_envelope(await asyncio.to_thread(house.media, session))


async def test_zoom_ends_a_stream_that_nobody_owns(house: House, simulate: Simulate) -> None:
    """Who takes the session over is told that there is no such stream, and it was connected: it is over."""
    await asyncio.to_thread(house.only, "one")
    stream, session = await ending(house, simulate)
    held = house.states[session]
    await asyncio.to_thread(house.workers["one"].kill)
    stream.stop(StopReason.MEETING_ENDED)
    await asyncio.wait_for(stream.ended.wait(), PATIENCE_S)
    await asyncio.to_thread(house.worker, "one")
    done = await house.until(session, State.POST_PROCESSING)
    assert done.epoch > held.epoch
    assert done.history[-2].metadata == '{"source":"ingest","reason":"refused: invalid_rtms_stream_id"}'
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    assert heard(media["video"])


async def test_what_zoom_stops_and_starts_again_is_one_session(house: House, simulate: Simulate) -> None:
    """The announcement says nothing new: the same id at the same address."""
    simulator = await simulate(speed=1.0)
    app = house.add_app(simulator.options.credentials)
    first = await simulator.start(scenario_library.load("stopped-and-started-again"))
    session = house.join(simulator, first, app)
    second = await asyncio.wait_for(first.following, PATIENCE_S)
    assert (first.stop_reason, house.join(simulator, second, app)) == (StopReason.INTERNAL_EXCEPTION, session)
    await wait_until(lambda: len(second.truth.sent) > 100, PATIENCE_S, house.logs)
    second.stop(StopReason.MEETING_ENDED)
    streams = (first, second)
    done = await house.until(session, State.POST_PROCESSING)
    assert [entry.new_state for entry in done.history].count(State.CONNECTED) == 1
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    assert {record.epoch for records in media.values() for record in records} == {done.epoch}
    holes = await holes_of(house, session, "audio", "video")
    for medium in (Medium.AUDIO, Medium.VIDEO):
        sent = [(one.user_id, one.timestamp_ms) for each in streams for one in each.truth.sent if one.medium is medium]
        got = [(who, at_ms) for who, at_ms, _ in heard(media[medium])]
        assert got == sorted(sent)
        (hole,) = holes[medium]
        assert hole.from_ms < streams[1].meeting.start_ms <= hole.to_ms
        assert [at_ms for _, at_ms in got if hole.from_ms < at_ms < hole.to_ms - CHUNK_MS] == []


async def started_again(house: House, simulator: Simulator, app: str, first: Stream, session: str) -> Stream:
    """The stream that Zoom starts under the same id; it is heard, and then it ends."""
    again = MeetingRequest(seconds=LONG_S, stream_id=first.identity.stream_id, meeting_uuid=first.identity.meeting_uuid)
    second = await simulator.start(again)
    assert house.join(simulator, second, app) == session
    await wait_until(lambda: len(second.truth.sent) > 100, PATIENCE_S, house.logs)
    await wait_until(lambda: house.states[session].stopped_at_ms is None, PATIENCE_S, house.logs)
    second.stop(StopReason.MEETING_ENDED)
    return second


async def test_the_wait_for_a_new_start_outlives_its_worker(house: House, simulate: Simulate) -> None:
    """Its successor finds that Zoom does not know the stream, and waits for what is left of the minute."""
    simulator, app, first, session = await flowing(house, simulate)
    held = house.states[session]
    first.stop(StopReason.INTERNAL_EXCEPTION)
    await wait_until(lambda: house.states[session].stopped_at_ms, PATIENCE_S, house.logs)
    worker = house.workers["one"]
    await asyncio.to_thread(worker.kill)
    await asyncio.to_thread(house.worker, "one")
    await wait_until(lambda: "a new start is still awaited" in worker.log.read_text(), PATIENCE_S, house.logs)
    assert house.states[session].state == State.CONNECTED
    second = await started_again(house, simulator, app, first, session)
    done = await house.until(session, State.POST_PROCESSING)
    assert done.epoch > held.epoch
    assert [entry.new_state for entry in done.history].count(State.CONNECTED) == 1
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    sent = sorted((one.user_id, one.timestamp_ms) for one in second.truth.sent if one.medium is Medium.AUDIO)
    newer = [record for record in media["audio"] if record.epoch == done.epoch]
    assert [(who, at_ms) for who, at_ms, _ in heard(newer)] == sent


def is_awaited(log: str, session: str) -> bool:
    return any("a new start is still awaited" in line and session in line for line in log.splitlines())


async def test_a_stop_that_only_a_webhook_tells_is_waited_for_as_well(house: House, simulate: Simulate) -> None:
    """The sockets break and Zoom knows the stream no longer: on them it can say nothing."""
    simulator, app, first, session = await flowing(house, simulate)
    held = house.states[session]
    for channel in first.channels():
        channel.cut(EndedBy.FAULT)
    first.stop(StopReason.SIGNAL_CONNECTION_INTERRUPTED)
    house.state(session, FactKind.STREAM_STOPPED, source="zoom_webhook", reason="stop_reason_13")
    log = house.workers["one"].log
    await wait_until(lambda: is_awaited(log.read_text(), session), PATIENCE_S, house.logs)
    assert house.states[session].state == State.CONNECTED
    await started_again(house, simulator, app, first, session)
    done = await house.until(session, State.POST_PROCESSING)
    assert done.epoch == held.epoch
    assert done.history[-2].metadata == '{"source":"ingest","reason":"stopped: meeting_ended"}'
    check_envelope(await asyncio.to_thread(house.media, session))


async def test_a_topic_takes_no_end_and_the_session_ends_all_the_same(house: House, simulate: Simulate) -> None:
    await with_impatient(house, "brief")
    _, session = await ending(house, simulate)
    with unwritable(house.kafka, topics.SHARE, house.producer):
        house.state(session, FactKind.END_REQUESTED, source="api")
        await given_up(house, session)

    def ended() -> bool:
        return bool(house.records(topics.SHARE, session)[-1].kind is RecordKind.END)

    await wait_until_read(ended, lambda: "no end on the topic that takes it again")
    assert "Traceback" not in house.logs()


async def test_the_worker_dies_while_a_topic_takes_no_end_and_the_next_one_ends_the_session(
    house: House, simulate: Simulate
) -> None:
    """The first has all the time there is: it must not have given up before it dies."""
    await asyncio.to_thread(house.only, "one")
    _, session = await ending(house, simulate)
    held = house.states[session]
    with unwritable(house.kafka, topics.SHARE, house.producer):
        house.state(session, FactKind.END_REQUESTED, source="api")
        await house.until(session, State.DISCONNECTING)
        await asyncio.to_thread(house.workers["one"].kill)
        await with_impatient(house, "next")
        done = await given_up(house, session)
        assert (done.worker, done.epoch > held.epoch) == ("next", True)
