"""A worker leaves in the middle of a meeting, politely or not: another one goes on, and no topic tells two stories."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.rtms.protocol.codes import Medium
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Duplicate, Rules
from connectors.rtms.simulator.stream import Stream
from deploy.local.server import Server
from schemas import topics
from schemas.records import AppSession, FactKind, Hole, MediaRecord, RecordKind
from schemas.seams import REPEATED_MS
from schemas.sessions import State
from tests.integration.ingest.conftest import House, check_envelope, check_ticks, wait_until

Simulate = Callable[..., Any]
Audio = list[tuple[int, int, bytes]]


def heard(records: list[MediaRecord]) -> Audio:
    return sorted((r.participant_id, r.timestamp_ms, r.payload) for r in records if r.kind is RecordKind.FRAME)


def sent_at(stream: Stream, medium: Medium) -> set[tuple[int, int]]:
    return {(frame.user_id, frame.timestamp_ms) for frame in stream.meeting.of_medium(medium)}


def first_frames(records: list[MediaRecord]) -> list[MediaRecord]:
    """The first frame of each epoch."""
    frames = [record for record in records if record.kind is RecordKind.FRAME]
    return [next(r for r in frames if r.epoch == epoch) for epoch in {r.epoch for r in frames}]


async def holes_of(house: House, session: str, *media: str) -> dict[str, list[Hole]]:
    """What the session says to be missing by medium, once something is said of all these."""
    await wait_until(
        lambda: {hole.medium for hole in house.states[session].holes} >= set(media),
        60,
        lambda: f"{house.states[session].holes}\n{house.logs()[-6000:]}",
    )
    holes = house.states[session].holes
    assert {hole.cause for hole in holes} == {"not_connected"}
    return {medium: [hole for hole in holes if hole.medium == medium] for medium in {hole.medium for hole in holes}}


def check_holes(stream: Stream, media: dict[str, list[MediaRecord]], holes: dict[str, list[Hole]]) -> None:
    """What Zoom had and no topic has lies in a hole.

    What was said before Zoom heard that the first client is ready is no loss. A break of sound that is as short as a
    pause between two words is taken for one (ADR 12).
    """
    ready = [story for story in stream.truth.connections if story.ready_ms is not None]
    for medium in (Medium.AUDIO, Medium.VIDEO, Medium.SHARE, Medium.CHAT):
        first_ms = next(story.ready_ms for story in ready if medium in story.media)
        got = {(r.participant_id, r.timestamp_ms) for r in media[medium] if r.kind is RecordKind.FRAME}
        stated = holes.get(medium, [])
        lost = sorted(at_ms for _, at_ms in sent_at(stream, medium) - got if at_ms > first_ms)
        outside = [at_ms for at_ms in lost if not any(hole.from_ms <= at_ms < hole.to_ms for hole in stated)]
        if medium is Medium.AUDIO:
            seams_ms = [r.timestamp_ms for r in first_frames(media[medium])]
            outside = [at for at in outside if not any(seam - REPEATED_MS <= at < seam for seam in seams_ms)]
        assert outside == [], f"{medium}: missing, and nobody says so: {outside} {stated}"


def check_silence(media: dict[str, list[MediaRecord]], holes: dict[str, list[Hole]]) -> None:
    """Each hole is as long as the topic itself is silent."""
    for medium in (Medium.AUDIO, Medium.VIDEO, Medium.SHARE, Medium.CHAT):
        got = [record.timestamp_ms for record in media[medium] if record.kind is RecordKind.FRAME]
        for hole in holes.get(medium, []):
            inside = [at_ms for at_ms in got if hole.from_ms < at_ms < hole.to_ms]
            assert inside == [], f"{medium}: there, and said to be missing"


def spoken(stream: Stream) -> Audio:
    frames = stream.meeting.of_medium(Medium.AUDIO)
    return sorted((frame.user_id, frame.timestamp_ms, frame.payload) for frame in frames)


async def begun(
    house: House, simulate: Simulate, *, seconds: int = 20, rules: Rules | None = None
) -> tuple[Stream, str, AppSession, str]:
    """A meeting in real time with two workers about, some seconds old: who holds it, who else is there."""
    await asyncio.to_thread(house.read_everything)
    await asyncio.to_thread(house.only, "one", "two")
    simulator = await simulate(speed=1.0, rules=rules)
    stream = await simulator.start(MeetingRequest(seconds=seconds))
    session = house.join(simulator, stream)
    held = await house.until(session, State.CONNECTED)
    await wait_until(lambda: len(stream.truth.sent) > 150, 20, lambda: "Zoom sends nothing")
    assert held.worker in ("one", "two")
    return stream, session, held, "two" if held.worker == "one" else "one"


async def ready_again(house: House, stream: Stream, before: int) -> None:
    def ready() -> bool:
        return any(story.ready_ms for story in stream.truth.connections[before:])

    await wait_until(ready, 40, lambda: f"nobody came back\n{house.logs()[-6000:]}")


async def taken_over(house: House, stream: Stream, session: str, held: AppSession) -> float:
    """Seconds until Zoom is answered again."""
    began = time.monotonic()
    await ready_again(house, stream, len(stream.truth.connections))
    took_s = time.monotonic() - began
    await wait_until(lambda: house.states[session].epoch > held.epoch, 10, lambda: "no new claim in the state")
    return took_s


async def test_a_worker_that_is_told_to_stop_hands_over(house: House, simulate: Simulate) -> None:
    stream, session, held, other = await begun(house, simulate)
    leaving = house.workers[held.worker or ""]
    leaving.ask_to_stop()
    print(f"handed over in {await taken_over(house, stream, session, held):.2f} s")
    assert house.states[session].worker == other
    done = await house.until(session, State.POST_PROCESSING)
    await wait_until(lambda: leaving.exit_code() is not None, 20, lambda: "the old worker does not end")
    assert leaving.exit_code() == 0
    leaving.stop()
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    check_ticks(media)
    assert {r.epoch for r in media["video"]} == {held.epoch, done.epoch}
    assert heard(media["audio"]) == spoken(stream), "audio is complete, nothing twice"
    sent = {(s.user_id, s.timestamp_ms) for s in stream.truth.sent if s.medium is Medium.VIDEO}
    assert {(u, t) for u, t, _ in heard(media["video"])} == sent, "every picture Zoom sent before the close is there"
    holes = await holes_of(house, session, "video", "share", "captions", "chat", "events")
    check_holes(stream, media, holes)
    check_silence(media, holes)
    assert "audio" not in holes
    (hole,) = holes["video"]
    assert 0 < hole.to_ms - hole.from_ms <= 3000
    assert [entry.new_state for entry in done.history].count(State.CONNECTED) == 1
    assert done.history[-2].metadata.endswith('"stopped: meeting_ended"}'), "the meeting went on to its own end"


async def test_a_worker_that_dies_is_replaced(house: House, simulate: Simulate) -> None:
    stream, session, held, other = await begun(house, simulate)
    await asyncio.to_thread(house.workers[held.worker or ""].kill)
    took_s = await taken_over(house, stream, session, held)
    assert took_s < 30
    assert house.states[session].worker == other
    done = await house.until(session, State.POST_PROCESSING)
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    assert {r.epoch for r in media["audio"]} == {held.epoch, done.epoch}
    said, got = spoken(stream), heard(media["audio"])
    assert len(set(got)) == len(got), "nothing twice"
    missing = set(said) - set(got)
    lost_ms = 100 * len(missing) / len(stream.meeting.participants)
    print(f"replaced in {took_s:.2f} s, {lost_ms:.0f} ms of audio lost")
    holes = await holes_of(house, session, "video", "share", "captions", "chat", "events")
    check_holes(stream, media, holes)
    check_silence(media, holes)
    (hole,) = holes["video"]
    assert hole.to_ms - hole.from_ms > 5000, "it took the group that long to notice"
    assert lost_ms < 3000, "only what the dead worker had not given to Kafka, or Zoom had given to a dead socket"
    assert "Traceback" not in house.logs()


KEEP_ALIVE_S = 4.0
REPLACED_S = 12.0
NOTICED_S = 5.0
"""After Zoom has noticed that the first connection is gone."""


@pytest.mark.parametrize("duplicate", [Duplicate.REPLACE, Duplicate.REFUSE])
async def test_a_worker_that_is_frozen_is_replaced_and_lets_go_when_it_wakes(
    house: House, simulate: Simulate, duplicate: Duplicate
) -> None:
    """Where Zoom refuses a second connection, it has to notice first: three keep-alives without an answer.

    Who wakes joins again, and may be given the session back.
    """
    rules = Rules(duplicate=duplicate, keep_alive_s=KEEP_ALIVE_S)
    stream, session, held, _ = await begun(house, simulate, seconds=30, rules=rules)
    frozen = house.workers[held.worker or ""]
    assert frozen.pid is not None
    os.kill(frozen.pid, signal.SIGSTOP)
    try:
        took_s = await taken_over(house, stream, session, held)
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    print(f"replaced in {took_s:.2f} s")
    assert duplicate is Duplicate.REFUSE or took_s < REPLACED_S
    if duplicate is Duplicate.REFUSE:
        (noticed_ms,) = [story.closed_ms for story in stream.truth.connections
                         if (story.kind, story.ended_by) == ("signalling", "keep_alive")]  # fmt: skip
        again_ms = [story.ready_ms for story in stream.truth.connections if (story.ready_ms or 0) > noticed_ms]
        assert (min(again_ms) - noticed_ms) / 1000 < NOTICED_S
    await wait_until(lambda: let_go(frozen, session), 10, lambda: f"it holds on\n{house.logs()[-6000:]}")
    done = await house.until(session, State.POST_PROCESSING)
    assert done.epoch > held.epoch
    media = {medium: believed(records) for medium, records in (await asyncio.to_thread(house.media, session)).items()}
    check_envelope(media)
    got = heard(media["audio"])
    assert len(set(got)) == len(got), "nothing twice"
    holes = await holes_of(house, session, "video", "share", "captions", "chat", "events")
    check_holes(stream, media, holes)
    assert "Traceback" not in house.logs()


def let_go(worker: Server, session: str) -> bool:
    return any("session let go" in line and session in line for line in worker.log.read_text().splitlines())


def believed(records: list[MediaRecord]) -> list[MediaRecord]:
    """What readers believe: nothing of an older epoch once a newer one has begun."""
    newest, found = -1, []
    for record in records:
        newest = max(newest, record.epoch)
        if record.epoch == newest:
            found.append(record)
    return found


async def test_a_stream_announced_again_elsewhere_is_followed_by_the_worker_that_has_it(
    house: House, simulate: Simulate
) -> None:
    stream, session, held, _ = await begun(house, simulate)
    request = held.request
    before = len(stream.truth.connections)

    def announce(*urls: str) -> None:
        house.request(request.stream_id, request.zoom_app_id, *urls, meeting_id=request.meeting_id)

    announce(*request.server_urls)
    announce(f"{request.server_urls[0]}?elsewhere")
    await ready_again(house, stream, before)
    done = await house.until(session, State.POST_PROCESSING)
    media = await asyncio.to_thread(house.media, session)
    check_envelope(media)
    check_ticks(media)
    assert {record.epoch for records in media.values() for record in records} == {held.epoch}
    assert heard(media["audio"]) == spoken(stream)
    holes = await holes_of(house, session, "video", "share", "captions", "chat", "events")
    check_holes(stream, media, holes)
    check_silence(media, holes)
    facts = await asyncio.to_thread(house.records, topics.SESSION_FACTS, session)
    assert {fact.source for fact in facts if fact.kind is FactKind.HOLE_FOUND} == {"ingest"}
    stories = [story for story in stream.truth.connections if story.kind == "signalling"]
    assert len(stories) == 2, "the same addresses again are no reason to move"
    assert done.worker == held.worker
