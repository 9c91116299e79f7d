"""Trouble, and what Zoom's own SDK makes of it: refusals, reasons, cuts and leaving, as the servers would have them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from connectors.rtms.protocol.codes import EventType, Medium, Status, StopReason
from connectors.rtms.simulator import scenario_library
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.meeting import Formats
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Duplicate, Rules
from connectors.rtms.simulator.scenario import read_scenario
from connectors.rtms.simulator.server import Simulator
from connectors.rtms.simulator.sound import AudioFormat
from connectors.rtms.simulator.stream import Stream
from tests.integration.rtms.conftest import Simulate
from tests.integration.rtms.zoom_sdk.conftest import PATIENCE_S, StartSdk, ZoomsSdk, played_again, scene

CLOSED_BY_PEER = 960
TIMEOUT = 1
SOCKET_ERROR = 502

TALK: dict[str, Any] = {"audio": {"codec": 1, "sample_rate": 1, "channel": 1, "frame_size": 320}, "captions": {}}


def said_in_turns() -> MeetingRequest:
    """Ada is silent between 4.8 s and 21 s: who is cut off then loses nothing that was under way."""
    speech = [{"who": "Ada", "at_s": 1, "last": 0}, {"who": "Ada", "at_s": 21, "first": 1, "last": 2}]
    return read_scenario(
        {"seconds": 60, "beeps": False, "people": [{"name": "Ada", "camera": False}], "speech": speech}
    )


async def cut_off(sdk: ZoomsSdk, simulator: Simulator, *faults: Fault) -> Stream:
    """The stream of a meeting in which that happens while Ada is silent."""
    await sdk.join(simulator, stream := await simulator.start(said_in_turns()), users=True, **TALK)
    await sdk.until(lambda sdk: sdk.frames("captions"))
    for fault in faults:
        stream.schedule(fault)
    return stream


@played_again
async def test_every_refusal_is_the_status_of_the_join(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    """No retry: the SDK leaves that to the program, even for those that mean "later"."""
    simulator = await simulate(speed=1.0)
    impatient = {"timeout": 1_000}
    cases: list[tuple[str, Mapping[str, Any], int]] = [
        ("usual", {"secret": "wrong"}, Status.INVALID_SIGNATURE),
        ("usual", {"rtms_stream_id": "nobody-knows"}, Status.INVALID_RTMS_STREAM_ID),
        ("signalling-refused", {}, Status.INVALID_SIGNATURE),
        ("signalling-duplicate", {}, Status.DUPLICATE_SIGNAL_REQUEST),
        ("media-refused", {}, Status.INVALID_MEDIA_AUDIO_CODEC),
        ("media-duplicate", {}, Status.DUPLICATE_MEDIA_DATA_CONNECTION),
        ("signalling-slammed", {}, CLOSED_BY_PEER),
        ("media-slammed", {}, CLOSED_BY_PEER),
        ("signalling-unanswered", impatient, TIMEOUT),
        ("media-unanswered", impatient, TIMEOUT),
    ]

    async def play(name: str, changes: Mapping[str, Any], status: int) -> None:
        sdk = await zooms_sdk()
        faults = scenario_library.load(name).faults
        stream = await simulator.start(replace(said_in_turns(), faults=faults))
        await sdk.join(simulator, stream, changes=changes, **TALK)
        assert await sdk.joined() == status, name
        assert sdk.of("medium") == [], name
        assert stream.truth.complaints == [], name

    await asyncio.gather(*(play(*case) for case in cases))


@played_again
async def test_the_reason_for_the_end_arrives(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    reasons = [StopReason.HOST_TRIGGERED, StopReason.STREAM_REVOKED, StopReason.INTERNAL_EXCEPTION]
    simulator = await simulate(speed=1.0)

    async def play(reason: StopReason) -> None:
        sdk = await zooms_sdk()
        await sdk.join(simulator, stream := await simulator.start(scene()), **TALK)
        await sdk.until(lambda sdk: sdk.frames("audio"))
        stream.stop(reason)
        assert await sdk.left() == reason
        assert sdk.of("session") == ["add", "stop"]

    await asyncio.gather(*map(play, reasons))


@played_again
async def test_a_pause_is_a_pause(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    sdk = await zooms_sdk()
    simulator = await simulate(speed=2.0)
    pause = Fault(kind=FaultKind.PAUSE, at_s=7, for_s=5)
    await sdk.join(simulator, stream := await simulator.start(scene(pause)), **TALK)
    await sdk.play_out(stream)
    assert sdk.of("session") == ["add", "pause", "resume", "stop"]
    stamps = [frame.timestamp - stream.meeting.start_ms for frame in sdk.frames("audio")]
    assert stamps
    assert not [stamp for stamp in stamps if 7_000 < stamp < 11_900]


@played_again
async def test_keep_alives_are_answered_as_they_must_be(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    """Three without a good answer would cut the socket, which takes 6 s, and there are half a dozen on each."""
    sdk = await zooms_sdk()
    simulator = await simulate(speed=2.0, rules=Rules(keep_alive_s=1.5))
    await sdk.join(simulator, stream := await simulator.start(scene()), **TALK)
    await sdk.play_out(stream)
    assert [story.kind for story in stream.truth.connections] == ["signalling", "media", "media"], "and no more"
    assert stream.truth.complaints == []


@pytest.mark.parametrize("duplicate", Duplicate)
@played_again
async def test_what_is_cut_is_joined_again_as_a_whole(
    simulate: Simulate, zooms_sdk: StartSdk, duplicate: Duplicate
) -> None:
    """Whichever socket it was. No audio is lost and none comes twice; events are not subscribed to again."""
    simulator = await simulate(speed=2.0, rules=Rules(duplicate=duplicate))
    cuts = [
        Fault(kind=FaultKind.CUT_SIGNALLING),
        Fault(kind=FaultKind.CUT_MEDIA),
        Fault(kind=FaultKind.CUT_MEDIA, medium=Medium.CAPTIONS),
    ]

    async def play(cut: Fault) -> None:
        sdk = await zooms_sdk()
        stream = await cut_off(sdk, simulator, cut)
        await sdk.until(lambda sdk: sdk.of("session") == ["add", "add"])
        await sdk.play_out(stream)
        everything = stream.meeting.of_medium(Medium.AUDIO, Formats(audio=AudioFormat(20)))
        assert [frame.timestamp for frame in sdk.frames("audio")] == [frame.timestamp_ms for frame in everything]
        assert [story.kind for story in stream.truth.connections] == ["signalling", "media", "media"] * 2
        assert {story.status for story in stream.truth.connections} == {Status.OK}
        assert sdk.of("joined") == [0], "the program is told of no gap"
        assert sdk.of("session") == ["add", "add", "stop"]
        assert sdk.events(EventType.PARTICIPANT_JOIN)
        assert not sdk.events(EventType.PARTICIPANT_LEAVE), "which Ada did at the end"
        assert stream.truth.complaints == []

    await asyncio.gather(*map(play, cuts))


@played_again
async def test_who_may_not_come_back_is_gone(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    """Refused; refused as unknown; or nobody at the address: after some eleven seconds the SDK gives up."""
    simulator = await simulate(speed=1.0)

    async def play(reason: int, *faults: Fault) -> None:
        sdk = await zooms_sdk()
        stream = await cut_off(sdk, simulator, *faults)
        assert await sdk.left() == reason
        assert len(sdk.frames("captions")) == 1
        assert stream.truth.complaints == []

    refusal = Fault(kind=FaultKind.REFUSE_SIGNALLING, status=Status.INVALID_SIGNATURE, times=100)
    cut, move = Fault(kind=FaultKind.CUT_SIGNALLING), Fault(kind=FaultKind.MOVE)
    await asyncio.gather(play(Status.INVALID_SIGNATURE, refusal, cut), play(SOCKET_ERROR, move))


@pytest.mark.parametrize("politely", [True, False])
@played_again
async def test_leaving(simulate: Simulate, zooms_sdk: StartSdk, politely: bool) -> None:
    """`leave` subscribes to events once more, then closes all sockets; the stream is not ended by that."""
    simulator = await simulate(speed=1.0, rules=Rules(signalling_window_s=0.5))
    sdk = await zooms_sdk()
    await sdk.join(simulator, stream := await simulator.start(scene()), **TALK)
    await sdk.until(lambda sdk: sdk.frames("audio"))
    if politely:
        await sdk.order(leave=True)
        await sdk.until(lambda sdk: sdk.of("leaving"))
    else:
        assert await sdk.end() == 0
    await asyncio.wait_for(stream.ended.wait(), PATIENCE_S)
    assert stream.stop_reason is StopReason.AWAIT_RECONNECTION_TIMEOUT
    assert stream.truth.connections[0].ended_by == "client"
    assert stream.truth.complaints == []
