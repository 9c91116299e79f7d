"""Kafka is away while sessions run: nobody lets go of Zoom, unless it takes too long."""

import asyncio
from collections.abc import Callable
from typing import Any

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.request import MeetingRequest
from deploy.local.broker.broker import Broker
from schemas import topics
from schemas.records import FactKind, RecordKind
from schemas.sessions import State
from tests.integration.ingest.conftest import House, check_envelope, tally, truth_tally, wait_until

Simulate = Callable[..., Any]
SESSIONS = 5
AWAY_S = 12.0
PATIENCE_S = 6.0


async def test_no_socket_is_closed_and_nothing_is_lost(house: House, simulate: Simulate, kafka: Broker) -> None:
    simulator = await simulate(speed=1.0)
    streams = [await simulator.start(MeetingRequest(seconds=25)) for _ in range(SESSIONS)]
    sessions = [house.join(simulator, stream) for stream in streams]
    for session in sessions:
        await house.until(session, State.CONNECTED)
    await asyncio.to_thread(kafka.kill)
    try:
        away_ms = streams[0].clock.now_ms() + 1000 * AWAY_S
        await wait_until(lambda: streams[0].clock.now_ms() > away_ms, 2 * AWAY_S, lambda: "time stands still")
    finally:
        await asyncio.to_thread(kafka.start)
    for session, stream in zip(sessions, streams, strict=True):
        done = await house.until(session, State.POST_PROCESSING)
        media = await asyncio.to_thread(house.media, session)
        check_envelope(media)
        assert tally(media) == truth_tally(stream)
        assert done.holes == ()
        assert len([story for story in stream.truth.connections if story.kind == "signalling"]) == 1
        assert stream.truth.complaints == []


async def test_who_is_without_kafka_for_too_long_leaves_and_the_next_one_goes_on(
    house: House, simulate: Simulate, kafka: Broker
) -> None:
    leaving = await asyncio.to_thread(lambda: house.worker("brief", RTMS_INGEST_WITHOUT_KAFKA_S=str(PATIENCE_S)))
    await asyncio.to_thread(house.only, "brief")
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(MeetingRequest(seconds=60))
    session = house.join(simulator, stream)
    held = await house.until(session, State.CONNECTED)
    await asyncio.to_thread(kafka.kill)
    try:
        await wait_until(
            lambda: all(story.closed_ms for story in stream.truth.connections), 4 * PATIENCE_S, lambda: house.logs()
        )
    finally:
        await asyncio.to_thread(kafka.start)
    await wait_until(lambda: leaving.exit_code() is not None, 60, lambda: "it stays")
    assert leaving.exit_code() == 1
    assert "without kafka for too long" in leaving.log.read_text()
    assert not stream.is_over, "it was not its to end"
    await asyncio.to_thread(house.worker, "one")
    await wait_until(lambda: house.states[session].epoch > held.epoch, 60, lambda: "nobody claims it")
    house.state(session, FactKind.END_REQUESTED, source="api")
    await house.until(session, State.POST_PROCESSING)
    audio = await asyncio.to_thread(house.records, topics.AUDIO, session)
    assert audio[-1].kind is RecordKind.END
    assert {record.epoch for record in audio} >= {held.epoch}
    assert any(frame.medium is Medium.AUDIO for frame in stream.truth.sent)
