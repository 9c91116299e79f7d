"""What a worker holds stays within its bounds, however large and many the frames are that Zoom sends."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.rtms.protocol.codes import MessageType
from connectors.rtms.protocol.messages import media_data
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.stream import Stream
from schemas import topics
from schemas.records import FactKind, MediaRecord, RecordKind
from schemas.sessions import State
from tests.integration.ingest.conftest import House, wait_until
from tests.support.processes import rss_bytes

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
    streams = [await simulator.start(MeetingRequest(seconds=60)) for _ in range(SESSIONS)]
    sessions = [house.join(simulator, stream) for stream in streams]
    for session in sessions:
        await house.until(session, State.CONNECTED)
    for stream in streams:
        await wait_until(lambda stream=stream: len(stream.truth.sent) > 30, 20, lambda: "Zoom sends nothing")
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


def giants(records: list[MediaRecord]) -> set[int]:
    return {
        r.timestamp_ms for r in records if r.kind is RecordKind.FRAME and len(getattr(r, "payload", b"")) == FITTING
    }
