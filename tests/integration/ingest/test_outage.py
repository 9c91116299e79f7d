"""Kafka is away while sessions run: nobody lets go of Zoom, unless it takes too long.

The outage lasts AWAY_S; RTMS_TEST_AWAY_S=60 makes it the minute that is promised. What processors are to see comes
first, and they go when it is over: who starts later reads everything that was said before.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.stream import Stream
from deploy.local.broker.broker import Broker
from schemas import topics
from schemas.records import AppSession, FactKind, MediaRecord, RecordKind, Video
from schemas.sessions import State
from tests.integration.ingest.conftest import House, check_envelope, tally, truth_tally, wait_until
from tests.integration.ingest.taking_over import believed, check_holes, ended, heard, holes_of, meeting_in
from tests.support.processes import PATIENCE_S, rss_bytes

Simulate = Callable[..., Any]
MIB = 1024 * 1024
SESSIONS = 20
AWAY_S = float(os.environ.get("RTMS_TEST_AWAY_S", "10"))
LENGTH_S = round(AWAY_S + 105)
"""They are ended by us, so that none is over before its worker is there."""

LEAVES_S = 6.0
"""Without Kafka."""


async def connected(
    house: House, simulator: Simulator, requests: Sequence[MeetingRequest]
) -> tuple[list[Stream], list[str]]:
    """These meetings, which run, and their sessions."""
    streams = [await simulator.start(request) for request in requests]
    sessions = [house.join(simulator, stream) for stream in streams]
    for session in sessions:
        await house.until(session, State.CONNECTED)
    return streams, sessions


async def away(kafka: Broker, streams: Sequence[Stream], last: Callable[[], object] = lambda: None) -> list[int]:
    """Kafka dies, is away for AWAY_S and comes back; how many connections each stream has had by then.

    `last` is done some seconds before it comes back: nobody comes back to a stream that Zoom has given up.
    """
    await asyncio.to_thread(kafka.kill)
    back_ms = streams[0].clock.now_ms() + 1000 * AWAY_S
    try:
        await reached(streams[0], back_ms - 8000)
        await asyncio.to_thread(last)
        await reached(streams[0], back_ms)
        return [signalling(stream) for stream in streams]
    finally:
        await asyncio.to_thread(kafka.start)


async def reached(stream: Stream, at_ms: float) -> None:
    await wait_until(lambda: stream.clock.now_ms() > at_ms, PATIENCE_S + AWAY_S, lambda: "time stands still")


def signalling(stream: Stream) -> int:
    """How many connections the stream has had."""
    return len([story for story in stream.truth.connections if story.kind == "signalling"])


# --- the group changes meanwhile --------------------------------------------------------------------------------------


OTHERS = ("one", "three")
"""Than the worker that dies."""


@pytest.fixture
async def pair(house: House) -> AsyncIterator[None]:
    """Two workers, the first of many."""
    await asyncio.to_thread(house.read_everything)
    await asyncio.to_thread(house.only, "one", "two")
    yield
    await asyncio.to_thread(house.read_nothing)
    await asyncio.to_thread(house.only, "one")


@pytest.mark.usefixtures("pair")
async def test_a_worker_dies_and_another_one_comes_while_kafka_is_away(
    house: House, simulate: Simulate, kafka: Broker
) -> None:
    """Nobody can decide before Kafka is back: until then who lives holds what it had, afterwards each has one owner."""
    partitions = range(house.kafka.partitions)
    requests = [meeting_in(house, number, LENGTH_S) for number in partitions]
    streams, sessions = await connected(house, await simulate(speed=1.0), requests)
    half = len(partitions) // 2
    await house.until_held({"one": half, "two": half})
    before = {session: house.states[session] for session in sessions}
    third = house.named("three")

    def change() -> None:
        house.workers["two"].kill()
        third.launch()

    assert await away(kafka, streams, change) == [1] * len(streams)
    await asyncio.to_thread(third.wait_ready)
    await house.until_held(dict.fromkeys(OTHERS, half))
    await connected_again(house, sessions)
    for session in sessions:
        house.state(session, FactKind.END_REQUESTED, source="api")
    over = [await house.until(session, State.POST_PROCESSING) for session in sessions]
    every = await asyncio.to_thread(house.all_media, sessions)
    for done, stream in zip(over, streams, strict=True):
        assert done.worker in OTHERS
        await check_one_owner(house, stream, before[done.session_id], done, believed(every[done.session_id]))


async def connected_again(house: House, sessions: Sequence[str]) -> None:
    """Wait until whoever holds a session hears it: with a claim alone nobody can tell Zoom to end."""
    deadline = time.monotonic() + PATIENCE_S
    while unheard := await asyncio.to_thread(only_claimed, house, sessions):
        assert time.monotonic() < deadline, f"{unheard}\n{house.logs()[-6000:]}"
        await asyncio.sleep(0.2)


def only_claimed(house: House, sessions: Sequence[str]) -> list[str]:
    """Those that their holder is not connected to yet."""
    facts = house.all_records(topics.SESSION_FACTS, sessions)
    connected = {(one, fact.epoch) for one in sessions for fact in facts[one] if fact.kind is FactKind.CONNECTED}
    return [session for session in sessions if (session, house.states[session].epoch) not in connected]


async def check_one_owner(
    house: House, stream: Stream, before: AppSession, done: AppSession, media: dict[str, list[MediaRecord]]
) -> None:
    check_envelope(media)
    got = heard(media["audio"])
    assert len(set(got)) == len(got), "nothing twice"
    if done.epoch == before.epoch:
        assert tally(media) == truth_tally(stream)
        assert done.holes == ()
    else:
        check_holes(stream, media, await holes_of(house, done.session_id, "video"))


# --- with many sessions -----------------------------------------------------------------------------------------------


async def test_no_socket_is_closed_and_nothing_is_lost(house: House, simulate: Simulate, kafka: Broker) -> None:
    holder = house.workers["one"]
    idle = rss_bytes(holder)
    streams, sessions = await connected(house, await simulate(speed=1.0), [MeetingRequest(seconds=LENGTH_S)] * SESSIONS)
    live = rss_bytes(holder)
    await away(kafka, streams)
    each = [grown / SESSIONS / MIB for grown in (live - idle, rss_bytes(holder) - live)]
    await ended(streams)
    print("a session takes {:.2f} MiB, and {:.2f} more in this outage".format(*each))
    over = [await house.until(session, State.POST_PROCESSING) for session in sessions]
    every = await asyncio.to_thread(house.all_media, sessions)
    for done, stream in zip(over, streams, strict=True):
        check_envelope(every[done.session_id])
        assert tally(every[done.session_id]) == truth_tally(stream)
        assert done.holes == ()
        assert signalling(stream) == 1
        assert stream.truth.complaints == []


# --- more than there is room for --------------------------------------------------------------------------------------

TIGHT = {"RTMS_INGEST_SESSION_BUDGET_BYTES": str(2 * MIB), "RTMS_KAFKA_QUEUE_KBYTES": str(32 * 1024)}
LARGE = 200_000


@pytest.fixture
async def tight(house: House) -> AsyncIterator[None]:
    """The only worker is one that has little room."""
    await asyncio.to_thread(lambda: house.worker("tight", **TIGHT))
    await asyncio.to_thread(house.only, "tight")
    yield
    await asyncio.to_thread(house.only, "one")


async def enlarge(streams: Sequence[Stream]) -> None:
    """Until cancelled: pictures become large ones."""
    while True:
        for stream in streams:
            stream.picture_bytes = LARGE
        await asyncio.sleep(0.02)


@pytest.mark.usefixtures("tight")
async def test_what_there_is_no_room_for_is_whole_groups_of_pictures_and_no_sound(
    house: House, simulate: Simulate, kafka: Broker
) -> None:
    streams, sessions = await connected(house, await simulate(speed=1.0), [MeetingRequest(seconds=LENGTH_S)] * 4)
    large = asyncio.create_task(enlarge(streams[:2]))
    await away(kafka, streams)
    large.cancel()
    await ended(streams)
    lost: Counter[str] = Counter()
    for session in sessions:
        await house.until(session, State.POST_PROCESSING)
    every = await asyncio.to_thread(house.all_media, sessions)
    for session, stream in zip(sessions, streams, strict=True):
        media = every[session]
        sent, got = truth_tally(stream), tally(media)
        gone = {medium for (medium, who), said in sent.items() if got.get((medium, who)) != said}
        assert gone <= {"video", "share"}, "nothing but pictures went"
        lost[session] = sum(said[0] for said in sent.values()) - sum(said[0] for said in got.values())
        holes = await holes_of(house, session, causes=frozenset({"memory_budget"}))
        check_holes(stream, media, holes)
        check_groups(stream, [record for record in media["video"] if isinstance(record, Video)])
        check_envelope(media, missing=lost[session])
        assert signalling(stream) == 1
        assert stream.truth.complaints == []
    assert min(lost[session] for session in sessions[:2]) > 20, "these had to lose something"


def check_groups(stream: Stream, records: list[Video]) -> None:
    """After each gap the pictures go on with a key frame."""
    sent = [said.timestamp_ms for said in stream.truth.sent if said.medium is Medium.VIDEO]
    frames = [record for record in records if record.kind is RecordKind.FRAME]
    following = dict(zip(sent, [*sent[1:], 0], strict=True))
    for before, after in zip(frames, frames[1:], strict=False):
        assert following[before.timestamp_ms] == after.timestamp_ms or after.key_frame


async def test_who_is_without_kafka_for_too_long_leaves_and_the_next_one_goes_on(
    house: House, simulate: Simulate, kafka: Broker
) -> None:
    leaving = await asyncio.to_thread(lambda: house.worker("brief", RTMS_INGEST_WITHOUT_KAFKA_S=str(LEAVES_S)))
    await asyncio.to_thread(house.only, "brief")
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(MeetingRequest(seconds=LENGTH_S))
    session = house.join(simulator, stream)
    held = await house.until(session, State.CONNECTED)
    await asyncio.to_thread(kafka.kill)
    try:
        await wait_until(lambda: all(story.closed_ms for story in stream.truth.connections), PATIENCE_S, house.logs)
    finally:
        await asyncio.to_thread(kafka.start)
    await wait_until(lambda: leaving.exit_code() is not None, PATIENCE_S, lambda: "it stays")
    assert leaving.exit_code() == 1
    assert "without kafka for too long" in leaving.log.read_text()
    assert not stream.is_over, "it was not its to end"
    await asyncio.to_thread(house.worker, "one")
    await wait_until(lambda: house.states[session].epoch > held.epoch, PATIENCE_S, lambda: "nobody claims it")
    house.state(session, FactKind.END_REQUESTED, source="api")
    await house.until(session, State.POST_PROCESSING)
    audio = await asyncio.to_thread(house.records, topics.AUDIO, session)
    assert audio[-1].kind is RecordKind.END
    assert {record.epoch for record in audio} >= {held.epoch}
    assert any(frame.medium is Medium.AUDIO for frame in stream.truth.sent)
