"""Sessions through a real worker: whole meetings, to the byte and in the order readers rely on, and those that fail."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from connectors.rtms.protocol.codes import MessageType, Status, StopReason
from connectors.rtms.protocol.messages import media_data
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Credentials
from deploy.local.ports import free_ports
from schemas import topics
from schemas.excerpts import KEPT_BYTES
from schemas.records import AppSession, FactKind, RecordKind
from schemas.sessions import State
from tests.integration.ingest.conftest import (
    House,
    check_envelope,
    check_ticks,
    tally,
    truth_tally,
    wait_until,
)
from tests.integration.ingest.taking_over import LONG_S, ended
from tests.support.bad_messages import ANYWHERE, ON_MEDIA, ON_SIGNALLING
from tests.support.processes import PATIENCE_S, rss_bytes

Simulate = Callable[..., Any]
SECONDS = 12


@pytest.fixture(scope="module", autouse=True)
def lost_causes(house: House) -> Iterator[tuple[float, list[str]]]:
    """Two sessions begun before all others, for giving up takes a minute: nobody listens, nobody answers."""
    app = house.add_app(Credentials())
    with socket.create_server(("127.0.0.1", 0)) as mute:
        nobody, silence = f"ws://127.0.0.1:{free_ports(1)[0]}/", f"ws://127.0.0.1:{mute.getsockname()[1]}/"
        began = time.monotonic()
        yield began, [house.request("nobody-listens", app, nobody), house.request("nobody-answers", app, silence)]


async def test_a_meeting_from_its_request_to_its_end(house: House, simulate: Simulate) -> None:
    simulator = await simulate(waits=True)
    stream = await simulator.start(MeetingRequest(seconds=SECONDS))
    session = house.join(simulator, stream)
    connected = await house.until(session, State.CONNECTED)
    assert stream.truth.connections, "connected before Zoom heard of us"
    assert all(story.status == 0 and story.opened_ms for story in stream.truth.connections)
    done = await house.until(session, State.POST_PROCESSING)
    media = await asyncio.to_thread(house.media, session)

    assert [entry.new_state for entry in done.history] == [
        State.CONNECTING, State.CONNECTED, State.DISCONNECTING, State.POST_PROCESSING,
    ]  # fmt: skip
    assert done.history[2].metadata == '{"source":"ingest","reason":"stopped: meeting_ended"}'
    assert done.awaiting == ("recording", "transcript", "events")
    assert done.holes == ()
    check_envelope(media)
    check_ticks(media)
    assert {record.epoch for records in media.values() for record in records} == {connected.epoch}
    assert tally(media) == truth_tally(stream)
    assert stream.truth.complaints == []
    names = {person.user_id: person.name for person in stream.meeting.participants}
    said = [r for records in media.values() for r in records if r.kind is RecordKind.FRAME and r.participant_id]
    assert {(r.participant_id, r.participant_name) for r in said if r.participant_name} == set(names.items())
    joined = {event.participant_id for event in media["events"] if event.event == "participant_joined"}
    assert joined == set(names)
    begin = media["audio"][0].begin
    assert begin is not None
    assert (begin.worker, begin.settings) == ("one", done.settings)
    facts = await asyncio.to_thread(house.records, topics.SESSION_FACTS, session)
    assert [fact.kind for fact in facts] == [
        FactKind.REQUESTED, FactKind.CLAIMED, FactKind.CONNECTED, FactKind.STREAM_OVER, FactKind.DISCONNECTED,
    ]  # fmt: skip
    assert house.letters(session) == []


async def test_an_end_that_was_asked_for_ends_the_stream_at_zoom(house: House, simulate: Simulate) -> None:
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(MeetingRequest(seconds=LONG_S))
    session = house.join(simulator, stream)
    await house.until(session, State.CONNECTED)
    await wait_until(lambda: len(stream.truth.sent) > 100, PATIENCE_S, lambda: "Zoom sends nothing")
    house.state(session, FactKind.END_REQUESTED, source="api")
    done = await house.until(session, State.POST_PROCESSING)
    await asyncio.wait_for(stream.ended.wait(), PATIENCE_S)
    media = await asyncio.to_thread(house.media, session)
    assert stream.stop_reason is StopReason.RECEIVER_REQUEST_CLOSE
    assert all(story.closed_ms is not None for story in stream.truth.connections)
    assert done.history[-2].event_type == "app_session_disconnect_requested"
    check_envelope(media)
    assert tally(media) == truth_tally(stream)
    assert stream.truth.complaints == []


async def test_a_revoked_consent_is_stated_before_the_end_it_causes(house: House, simulate: Simulate) -> None:
    """Zoom's stop reason 8: the data is to be gone, and the session comes to its end all the same."""
    simulator = await simulate(waits=True)
    revoked = Fault(kind=FaultKind.STOP, at_s=5, stop_reason=StopReason.STREAM_REVOKED)
    session = house.join(simulator, await simulator.start(MeetingRequest(seconds=SECONDS, faults=(revoked,))))
    done = await house.until(session, State.DATA_DELETED)
    facts = await asyncio.to_thread(house.records, topics.SESSION_FACTS, session)
    assert [(fact.kind, fact.reason) for fact in facts[-3:]] == [
        (FactKind.DATA_DELETED, "consent_revoked"),
        (FactKind.STREAM_OVER, "stopped: stream_revoked"),
        (FactKind.DISCONNECTED, None),
    ]
    assert done.deletion is not None
    check_envelope(await asyncio.to_thread(house.media, session))


HABITS = (FaultKind.STRING_IDS, FaultKind.BINARY, FaultKind.MIXED_FRAMING)
UNUSABLE = (
    *((0, *bad) for bad in (ANYWHERE | ON_SIGNALLING).values()), *((1, *bad) for bad in (ANYWHERE | ON_MEDIA).values())
)  # fmt: skip
GIANT = bytes(topics.MAX_RECORD_BYTES + 1)


async def test_garbage_from_zoom_is_put_aside_and_the_meeting_goes_on(house: House, simulate: Simulate) -> None:
    """Three meetings with a habit each, at once; the first one is sent all that nobody can use as well, and a picture
    that no topic takes."""
    simulator = await simulate(speed=1.0)
    requests = [
        MeetingRequest(seconds=LONG_S, faults=(Fault(kind=kind), Fault(kind=FaultKind.UNKNOWN_MESSAGE, at_s=4)))
        for kind in HABITS
    ]
    streams = [await simulator.start(request) for request in requests]
    sessions = [house.join(simulator, stream) for stream in streams]
    for session in sessions:
        await house.until(session, State.CONNECTED)
    await wait_until(lambda: len(streams[0].truth.sent) > 100, PATIENCE_S, lambda: "Zoom sends nothing")
    channels = streams[0].channels()
    for channel, message, _ in UNUSABLE:
        assert await channels[channel].say(message)
    at_ms = streams[0].clock.now_ms()
    giant = media_data(MessageType.MEDIA_DATA_SHARE, user_id=0, user_name=None, timestamp_ms=at_ms, payload=GIANT)
    assert await channels[1].say(giant)
    await ended(streams)
    for session, stream in zip(sessions, streams, strict=True):
        done = await house.until(session, State.POST_PROCESSING)
        media = await asyncio.to_thread(house.media, session)
        lost = [(hole.medium, hole.from_ms, hole.cause) for hole in done.holes]
        assert lost == ([("share", at_ms, "too_large")] if session == sessions[0] else [])
        check_envelope(media, missing=len(lost))
        assert tally(media) == truth_tally(stream)
    letters = await asyncio.to_thread(house.letters, sessions[0])
    (large,) = (letter for letter in letters if letter.reason == "record_too_large")
    assert len(large.data) == KEPT_BYTES
    assert large.length > len(GIANT)
    found = Counter((letter.topic, letter.data, letter.reason) for letter in letters if letter is not large)
    assert found == Counter(("zoom", message[:KEPT_BYTES], reason) for _, message, reason in UNUSABLE)
    assert house.letters(sessions[1]) == house.letters(sessions[2]) == []


FLOODS = ((10_000, 1_000), (200, 1024 * 1024))
FLOOD_BYTES = 96 * 1024 * 1024
"""What a flood of messages that nobody can use may add to a worker: the send queue, and what is on its way there."""


async def test_a_flood_of_garbage_from_zoom_takes_bounded_memory(house: House, simulate: Simulate) -> None:
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(MeetingRequest(seconds=LONG_S))
    session = house.join(simulator, stream)
    await house.until(session, State.CONNECTED)
    before, most = rss_bytes(house.workers["one"]), 0
    media = stream.channels()[1]
    for count, size in FLOODS:
        for number in range(count):
            assert await media.say(b"x" * size)
            if number % (count // 10) == 0:
                most = max(most, await asyncio.to_thread(rss_bytes, house.workers["one"]))
    await ended([stream])
    done = await house.until(session, State.POST_PROCESSING)
    assert done.holes == ()
    assert most - before < FLOOD_BYTES
    check_envelope(await asyncio.to_thread(house.media, session))
    letters = await asyncio.to_thread(house.letters, session)
    assert Counter(letter.length for letter in letters) == {size: count for count, size in FLOODS}


def check_failed(state: AppSession, reason: str) -> None:
    last = state.history[-1]
    assert (state.state, last.event_type, last.sub_type) == (
        State.FATAL_ERROR, "fatal_error", "zoom_connection_failed",
    )  # fmt: skip
    assert reason in msgspec.json.decode(last.metadata)["reason"]
    assert (state.awaiting, state.connected_once) == ((), False)


async def test_a_medium_that_zoom_refuses_is_one_of_the_failures(house: House, simulate: Simulate) -> None:
    simulator = await simulate(speed=1.0)
    refuse = Fault(kind=FaultKind.REFUSE_MEDIA, status=Status.MEDIA_TYPE_CHAT_NOT_SUPPORT)
    stream = await simulator.start(MeetingRequest(seconds=LONG_S, faults=(refuse,)))
    session = house.join(simulator, stream)
    await house.until(session, State.CONNECTED)
    failures = ("chat: media_type_chat_not_support",)
    await wait_until(lambda: house.states[session].failures == failures, PATIENCE_S, house.logs)
    stream.stop(StopReason.MEETING_ENDED)
    done = await house.until(session, State.POST_PROCESSING)
    assert done.failures == failures


async def test_a_wrong_secret(house: House, simulate: Simulate) -> None:
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(MeetingRequest(seconds=LONG_S))
    session = house.join(simulator, stream, house.add_app(simulator.options.credentials, "not-the-secret"))
    check_failed(await house.until(session, State.FATAL_ERROR), "refused: invalid_signature")
    assert stream.truth.connections
    assert all(story.closed_ms is not None for story in stream.truth.connections)
    assert "not-the-secret" not in house.logs()


async def test_an_unknown_app(house: House) -> None:
    session = house.request("nobody-has-the-app", "zapp_unknown", "ws://127.0.0.1:1")
    check_failed(await house.until(session, State.FATAL_ERROR), "no_credentials")


ODD = {
    "address not on the list": {"urls": ("wss://example.org/x",), "reason": "forbidden_address"},
    "no address": {"urls": (), "reason": "forbidden_address"},
    "no URL": {"urls": ("127.0.0.1",), "reason": "forbidden_address"},
    "a port that is none": {"urls": ("ws://127.0.0.1:99999999/",), "reason": "forbidden_address"},
    "a product that is none": {"product": "fax", "reason": "unusable_request"},
    "a sample rate that is none": {"settings": '{"audio_sample_rate_hz": 12345}', "reason": "unusable_request"},
    "a height that is none": {"settings": '{"video_height": 5}', "reason": "unusable_request"},
    "settings that are none": {"settings": "{", "reason": "unusable_request"},
}


@pytest.mark.parametrize("case", ODD)
async def test_a_request_that_makes_no_sense(house: House, case: str) -> None:
    odd: dict[str, Any] = dict(ODD[case])
    urls, reason = odd.pop("urls", ("ws://127.0.0.1:1",)), odd.pop("reason")
    session = house.request(f"odd: {case}", house.add_app(Credentials()), *urls, **odd)
    check_failed(await house.until(session, State.FATAL_ERROR), reason)
    assert house.workers["one"].is_ready()


async def test_giving_up_takes_a_minute(house: House, lost_causes: tuple[float, list[str]]) -> None:
    began, sessions = lost_causes
    for session in sessions:
        check_failed(await house.until(session, State.FATAL_ERROR, timeout_s=90), "unreachable")
    assert max(house.seen[session, State.FATAL_ERROR] for session in sessions) - began < 90


def test_nobody_is_told_what_people_said(house: House) -> None:
    """After the meetings above: no name, no word and no secret in the log."""
    log = house.logs()
    assert "session finished" in log
    assert len(house.private) > 5
    assert [word for word in house.private if word in log] == []
    assert "Traceback" not in log
