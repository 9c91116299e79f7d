"""What a worker holds stays within its bounds, however large and many the frames are that Zoom sends."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from connectors.kafka.offsets import OffsetDirectory
from connectors.kafka.records import Place
from connectors.rtms.protocol.codes import MessageType
from connectors.rtms.protocol.messages import media_data
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.stream import Stream
from connectors.rtms.simulator.writer import write
from schemas import topics
from schemas.ids import partition_of, session_id
from schemas.records import FactKind, MediaRecord, RecordKind
from schemas.sessions import State
from tests.integration.ingest.conftest import (
    PROJECT,
    House,
    check_envelope,
    tally,
    truth_tally,
    wait_until,
    wait_until_read,
)
from tests.integration.ingest.taking_over import LONG_S, ended
from tests.support.processes import PATIENCE_S, rss_bytes
from tests.support.websocket_peers import answer_upgrade, serving_raw

Simulate = Callable[..., Any]

SESSIONS = 3
PICTURES = 12
MIB = 1024 * 1024
FITTING = topics.MAX_RECORD_BYTES - 64 * 1024
BUDGET_BYTES = 24 * MIB
QUEUE_BYTES = 64 * MIB
ON_THE_WAY_BYTES = 64 * MIB
"""Of one giant: its message in base64, its payload and its record, and the buffer that the socket has grown."""

GROWTH_BYTES = SESSIONS * (BUDGET_BYTES + ON_THE_WAY_BYTES) + QUEUE_BYTES
"""Less than two thirds of what is sent."""


@pytest.fixture(scope="module")
def house(topics_ready: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Its worker holds little of each session."""
    env = topics_ready | {"RTMS_INGEST_SESSION_BUDGET_BYTES": str(BUDGET_BYTES)}
    made = House(env, tmp_path_factory.mktemp("memory"))
    try:
        made.lifecycle.launch()
        made.worker("one")
        made.lifecycle.wait_ready()
        yield made
    finally:
        made.close()


def giant(at_ms: int, size: int) -> bytes:
    return media_data(
        MessageType.MEDIA_DATA_SHARE, user_id=7, user_name=None, timestamp_ms=at_ms, payload=b"\x01" * size
    )


async def shower(stream: Stream, times: list[int]) -> None:
    """Giants one after another as fast as they are read: most just fit into a record, each fourth does not."""
    channel = stream.channels()[1]
    for number, at_ms in enumerate(times):
        assert await channel.say(giant(at_ms, FITTING if number % 4 else topics.MAX_RECORD_BYTES + MIB))


async def test_giant_frames_of_several_sessions_in_a_row(house: House, simulate: Simulate) -> None:
    simulator = await simulate(speed=1.0)
    streams = [await simulator.start(MeetingRequest(seconds=LONG_S)) for _ in range(SESSIONS)]
    sessions = [house.join(simulator, stream) for stream in streams]
    for session in sessions:
        await house.until(session, State.CONNECTED)
    for stream in streams:
        await wait_until(lambda stream=stream: len(stream.truth.sent) > 30, PATIENCE_S, lambda: "Zoom sends nothing")
    before, most = rss_bytes(house.workers["one"]), 0
    times = [[stream.clock.now_ms() + number for number in range(PICTURES)] for stream in streams]
    showers = asyncio.gather(*(shower(*each) for each in zip(streams, times, strict=True)))
    while not showers.done():
        most = max(most, await asyncio.to_thread(rss_bytes, house.workers["one"]))
        await asyncio.wait([showers], timeout=0.05)
    await showers
    print(f"grew by {(most - before) / MIB:.0f} MiB at most; allowed are {GROWTH_BYTES / MIB:.0f}")
    for session in sessions:
        house.state(session, FactKind.END_REQUESTED, source="api")
    for session, sent in zip(sessions, times, strict=True):
        done = await house.until(session, State.POST_PROCESSING)
        records = await asyncio.to_thread(house.records, topics.SHARE, session)
        holes = [(hole.from_ms, hole.to_ms) for hole in done.holes if hole.medium == "share"]
        here = giants(records)
        assert all(at in here or any(first <= at < end for first, end in holes) for at in sent)
        assert {hole.cause for hole in done.holes} <= {"memory_budget", "too_large"}
    assert most - before < GROWTH_BYTES


PEOPLE, KNOWN_PEOPLE = 60_000, 6000
ON_THEIR_WAY = 1000
CROWDED_S = 600
"""For so long they may come, however slowly Kafka takes what they say."""

CROWD_BYTES = 6 * MIB
"""What so many names may add: nothing is kept of them but what is on its way to Kafka. Kept, they would take 10 MiB."""


async def crowd(house: House, stream: Stream, numbers: range) -> None:
    """Everybody says one thing and nobody says another; not faster than Kafka takes it."""
    channel = stream.channels()[1]
    directory = OffsetDirectory(house.kafka)
    audio = Place(
        topics.AUDIO.name, partition_of(session_id(PROJECT, stream.identity.stream_id), house.kafka.partitions)
    )
    (begin,) = (await asyncio.to_thread(directory.ends, [audio])).values()
    for number in numbers:
        at_ms, name = stream.clock.now_ms(), f"Somebody of the number {number:020}"
        said = media_data(
            MessageType.MEDIA_DATA_AUDIO, user_id=number, user_name=name, timestamp_ms=at_ms, payload=b"x" * 640
        )
        assert await channel.say(said)
        if number % ON_THEIR_WAY == 0:
            taken = begin + number - numbers.start
            await wait_until_read(lambda taken=taken: directory.ends([audio])[audio] >= taken, house.logs)
        elif number % 64 == 0:
            await asyncio.sleep(0)


async def never_ending_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nX-Header: ")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def dripping_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def no_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await answer_upgrade(reader, writer)
    while True:
        writer.write(b"\x89\x7d" + b"p" * 125)  # pings
        await writer.drain()
        await asyncio.sleep(0.001)


HOSTILE = (never_ending_header, dripping_header, no_handshake)


async def test_hostile_sessions_cost_only_themselves(house: House, simulate: Simulate) -> None:
    simulator = await simulate(speed=1.0)
    streams = [await simulator.start(MeetingRequest(seconds=LONG_S)) for _ in range(SESSIONS)]
    sessions = [house.join(simulator, stream) for stream in streams]
    bad = await simulator.start(MeetingRequest(script=replace(write(1, CROWDED_S), cameras=(), shares=())))
    crowded = house.join(simulator, bad)
    for session in (*sessions, crowded):
        await house.until(session, State.CONNECTED)
    await crowd(house, bad, range(KNOWN_PEOPLE))
    before, most = rss_bytes(house.workers["one"]), 0
    app = house.add_app(simulator.options.credentials)
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(serving_raw(handler)) for handler in HOSTILE]
        nowhere = [house.request(uuid.uuid4().hex, app, f"ws://127.0.0.1:{port}/") for port in ports]
        crowding = asyncio.create_task(crowd(house, bad, range(KNOWN_PEOPLE, PEOPLE)))
        while not crowding.done():
            most = max(most, await asyncio.to_thread(rss_bytes, house.workers["one"]))
            await asyncio.wait([crowding], timeout=0.2)
        await ended(streams)
        most = max(most, await asyncio.to_thread(rss_bytes, house.workers["one"]))
        for session in (*nowhere, crowded):
            house.state(session, FactKind.END_REQUESTED, source="api")
        await crowding
        print(f"grew by {(most - before) / MIB:.0f} MiB at most; allowed are {CROWD_BYTES / MIB:.0f}")
        for session in (*nowhere, *sessions, crowded):
            await house.until(session, State.POST_PROCESSING, State.ENDED, State.FATAL_ERROR)
    for session, stream in zip(sessions, streams, strict=True):
        media = await asyncio.to_thread(house.media, session)
        check_envelope(media)
        assert tally(media) == truth_tally(stream)
        assert house.states[session].holes == ()
        assert [story.kind for story in stream.truth.connections] == ["signalling", "media"]
        assert stream.truth.complaints == []
    assert most - before < CROWD_BYTES


def giants(records: list[MediaRecord]) -> set[int]:
    return {
        r.timestamp_ms for r in records if r.kind is RecordKind.FRAME and len(getattr(r, "payload", b"")) == FITTING
    }
