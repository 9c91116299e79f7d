"""Whole meetings: what Zoom's own SDK makes of them is what was sent, and what our client makes of the same."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from connectors.rtms.protocol.codes import MediaCodec, Medium, SampleRate, Status, StopReason
from connectors.rtms.protocol.events import CaptionReceived, FrameReceived, ParticipantLeft
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.stream import Stream
from tests.integration.rtms.conftest import SETTINGS, Attendant, Simulate, truth_tally
from tests.integration.rtms.zoom_sdk.conftest import MEDIA, Frame, StartSdk, ZoomsSdk, played_again, scene, sent

Attend = Callable[..., Attendant]

SPEED = 4.0
L16 = {"codec": 1, "sample_rate": 1, "channel": 1, "data_opt": 2, "duration": 100, "frame_size": 1600}
LIKE_OURS: dict[str, Any] = {"audio": L16, "video": {"fps": 25}, "share": {"fps": 5}, "captions": {"src_language": 9}}
"""Parameters with which the SDK asks for what our client asks for by itself."""


def ours(attendant: Attendant, medium: str, start_ms: int = 0) -> list[Frame]:
    """What our client received of a medium, as the SDK would say it, by the time since `start_ms`."""
    if medium == Medium.CAPTIONS:
        captions = attendant.said.of(CaptionReceived)
        return [Frame(each.user_id, each.timestamp_ms - start_ms, each.text.encode()) for each in captions]
    frames = [frame for frame in attendant.said.of(FrameReceived) if frame.medium == medium]
    return [Frame(frame.user_id, frame.timestamp_ms - start_ms, frame.payload) for frame in frames]


def events_sent(stream: Stream) -> list[dict[str, Any]]:
    """What the SDK hands on: all but the first packet's time."""
    events = [dict(event) for event in stream.truth.events if event["event_type"] != 1]
    return [event | {"timestamp": event.pop("timestamp_ms")} for event in events]


@played_again
async def test_a_whole_meeting(simulate: Simulate, attend: Attend, zooms_sdk: StartSdk) -> None:
    """One scenario, a stream each: both receive all of it, and of pictures what comes after they are connected."""
    sdk = await zooms_sdk()
    simulator = await simulate(speed=1.0)  # connected before somebody shares, at 4 s
    theirs = await simulator.start(scene())
    await sdk.join(simulator, theirs, users=True, cameras=True, subscribe=[5, 6], **LIKE_OURS)
    stream = await simulator.start(scene())
    attendant = attend(simulator, stream)
    await sdk.until(lambda sdk: sdk.events(4))
    await sdk.play_out(theirs)
    await attendant.said.until(lambda said: said.of(ParticipantLeft))
    stream.stop(StopReason.MEETING_ENDED)
    assert (await attendant.outcome()).code == StopReason.MEETING_ENDED
    assert attendant.said.tally() == truth_tally(stream)
    assert theirs.truth.complaints == stream.truth.complaints == []
    for medium in MEDIA:
        by_them = [frame._replace(timestamp=frame.timestamp - theirs.meeting.start_ms) for frame in sdk.frames(medium)]
        by_us = ours(attendant, medium, stream.meeting.start_ms)
        both = min(len(by_them), len(by_us))
        assert both > 5
        assert by_them[-both:] == by_us[-both:], medium
        assert medium != Medium.AUDIO or len(by_them) == len(by_us)

    assert sdk.events(*range(2, 15)) == events_sent(theirs)
    assert {event["event_type"] for event in sdk.of("event")} == {2, 3, 4, 5, 6, 8, 9}
    people = {(person.user_id, person.name) for person in theirs.meeting.participants}
    assert {(user_id, name) for _, user_id, name in sdk.of("user")} == people
    assert sdk.of("session") == ["add", "stop"]


@played_again
async def test_a_recording(simulate: Simulate, attend: Attend, zooms_sdk: StartSdk, tmp_path: Path) -> None:
    """Nothing of a recording is left out and its clock is its own: both receive the very same."""
    simulator = await simulate(speed=SPEED)
    stream = await simulator.start(scene(seconds=30))
    keeping = SETTINGS.model_copy(update={"capture_folder": tmp_path, "capture_names": True})
    await attend(simulator, stream, keeping).outcome()
    recorded = MeetingRequest(recording=tmp_path / f"{stream.identity.stream_id}.rtms.jsonl")
    sdk = await zooms_sdk()
    again = await simulate(speed=2.0)
    await sdk.join(again, theirs := await again.start(recorded), subscribe=[2, 3, 4, 5, 6], **LIKE_OURS)
    attendant = attend(again, await again.start(recorded))
    await sdk.play_out(theirs)
    assert (await attendant.outcome()).code == StopReason.MEETING_ENDED
    for medium in MEDIA:
        assert sdk.frames(medium) == ours(attendant, medium)
        assert len(sdk.frames(medium)) > 5
    assert theirs.truth.complaints == []


@played_again
async def test_every_form_of_audio(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    forms: list[Mapping[str, int]] = [
        {},
        {"codec": MediaCodec.OPUS, "channel": 1},
        {"codec": MediaCodec.G711, "sample_rate": SampleRate.SR_8K, "channel": 1, "frame_size": 160},
        {"codec": MediaCodec.G722, "sample_rate": SampleRate.SR_16K, "channel": 1, "frame_size": 320},
        {"codec": MediaCodec.L16, "sample_rate": SampleRate.SR_48K, "channel": 2, "duration": 200, "frame_size": 9600},
        L16 | {"duration": 1000, "frame_size": 16_000},
    ]
    simulator = await simulate(speed=SPEED)

    async def play(form: Mapping[str, int]) -> None:
        sdk = await zooms_sdk()
        await sdk.join(simulator, stream := await simulator.start(scene()), audio=form)
        await sdk.play_out(stream)
        assert len(sdk.frames("audio")) > 10
        assert stream.truth.complaints == []

    await asyncio.gather(*map(play, forms))


@played_again
async def test_still_pictures(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    sdk = await zooms_sdk()
    simulator = await simulate(speed=SPEED)
    stream = await simulator.start(scene())
    forms = {"video": {"codec": MediaCodec.JPG, "fps": 5}, "share": {"codec": MediaCodec.PNG, "fps": 1}}
    await sdk.join(simulator, stream, **forms)
    await sdk.play_out(stream)
    assert {frame.payload[:2] for frame in sdk.frames("video")} == {b"\xff\xd8"}
    assert {frame.payload[:4] for frame in sdk.frames("share")} <= {b"\x89PNG"}


@played_again
async def test_mixed_audio_is_said_to_be_the_active_speakers(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    """It never falls silent, so the end comes in the middle of it. Who speaks is told on another socket."""
    sdk = await zooms_sdk()
    simulator = await simulate(speed=2.0)
    stream = await simulator.start(scene())
    await sdk.join(simulator, stream, audio={"data_opt": 1}, users=True)
    nobody, people = -1, {person.user_id for person in stream.meeting.participants}
    await sdk.until(lambda sdk: {line["user_id"] for line in sdk.about("audio")} >= {nobody, *people})
    stream.stop(StopReason.MEETING_ENDED)
    assert await sdk.left() == StopReason.MEETING_ENDED
    received = [replace(frame, user_id=0) for frame in sdk.received()["audio"]]
    assert received == sent(stream)["audio"][: len(received)]
    assert {event["user_id"] for event in sdk.events(2)} == people
    assert {line["user_id"] for line in sdk.about("audio")} == {nobody, *people}


@played_again
async def test_individual_video(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    sdk = await zooms_sdk()
    simulator = await simulate(speed=2.0)
    stream = await simulator.start(scene())
    await sdk.join(simulator, stream, video={"data_opt": 4, "fps": 6}, cameras=True)
    for user_id in (person.user_id for person in stream.meeting.participants):
        await sdk.until(lambda sdk, wanted=user_id: any(wanted in seen for seen in sdk.of("cameras")))
        await sdk.order(watch=user_id)
        await sdk.until(lambda sdk, wanted=user_id: wanted in sdk.of("watching"))
        await sdk.until(lambda sdk, wanted=user_id: any(line["user_id"] == wanted for line in sdk.about("video")))
    await sdk.order(watch=1)
    await sdk.until(lambda sdk: 1 in sdk.of("watching"))
    assert sdk.of("status") == [Status.OK, Status.OK, Status.INVALID_PAYLOAD], "nobody has that camera"
    await sdk.play_out(stream)
    assert stream.truth.complaints == []


HABITS = {
    "text": (),
    "binary": (Fault(kind=FaultKind.BINARY),),
    "mixed": (Fault(kind=FaultKind.MIXED_FRAMING),),
    "surprises": (Fault(kind=FaultKind.UNKNOWN_MESSAGE, at_s=6), Fault(kind=FaultKind.LARGE_PICTURE, at_s=8)),
    "late": (Fault(kind=FaultKind.LATE_START, for_s=12),),
}


@played_again
async def test_habits_that_make_no_difference(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    simulator = await simulate(speed=2.0)

    async def play(name: str) -> ZoomsSdk:
        sdk = await zooms_sdk()
        await sdk.join(simulator, stream := await simulator.start(scene(*HABITS[name])), **LIKE_OURS)
        await sdk.play_out(stream)
        assert len(sdk.frames("audio")) == len(list(stream.meeting.of_medium(Medium.AUDIO))), name
        return sdk

    _, _, _, surprised, _ = await asyncio.gather(*map(play, HABITS))
    assert max(len(frame.payload) for frame in surprised.frames("video")) >= 10_000_000


@played_again
async def test_captions_in_microseconds_are_handed_on_as_they_are(simulate: Simulate, zooms_sdk: StartSdk) -> None:
    sdk = await zooms_sdk()
    simulator = await simulate(speed=SPEED)
    stream = await simulator.start(scene(Fault(kind=FaultKind.CAPTIONS_IN_US)))
    await sdk.join(simulator, stream, captions={})
    await sdk.hear_out(stream)
    said = [(line["start"], line["end"]) for line in sdk.about("captions")]
    assert said
    assert said == [(1000 * caption["start_ms"], 1000 * caption["end_ms"]) for caption in stream.truth.captions]


@played_again
async def test_ids_as_strings_are_for_tolerant_clients_alone(
    simulate: Simulate, attend: Attend, zooms_sdk: StartSdk
) -> None:
    """Why the simulator sends numbers unless it is told otherwise: with strings, the SDK drops what it gets."""
    sdk = await zooms_sdk()
    simulator = await simulate(speed=SPEED)
    request = scene(Fault(kind=FaultKind.STRING_IDS))
    await sdk.join(simulator, theirs := await simulator.start(request), users=True, **LIKE_OURS)
    attendant = attend(simulator, stream := await simulator.start(request))
    await sdk.until(lambda sdk: sdk.events(4))
    await attendant.said.until(lambda said: said.of(ParticipantLeft))
    for each in (theirs, stream):
        each.stop(StopReason.MEETING_ENDED)
    assert (await attendant.outcome()).code == await sdk.left() == StopReason.MEETING_ENDED
    assert all(sent(theirs).values())
    assert not any(sdk.received().values())
    assert sdk.of("user") == []
    assert attendant.said.tally() == truth_tally(stream)
