"""The library of scenarios against the client: every failure and every stop reason, and what the client made of it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.rtms.protocol.codes import Medium, StopReason
from connectors.rtms.protocol.events import (
    CaptionReceived,
    ContactCenterEvent,
    EndCause,
    FrameReceived,
    FrameRejected,
    ParticipantJoined,
    SocketLost,
    StreamStateChanged,
)
from connectors.rtms.protocol.parameters import AudioParameters, CaptionParameters, MediaParameters, VideoParameters
from connectors.rtms.simulator import scenario_library
from connectors.rtms.simulator.rules import Rules
from tests.integration.rtms.conftest import SETTINGS, SPEED, Attendant, Simulate, truth_tally

Attend = Callable[..., Attendant]

AUDIO = MediaParameters(audio=AudioParameters())
CAPTIONS = MediaParameters(captions=CaptionParameters())
TALK_AND_FACES = MediaParameters(audio=AudioParameters(), video=VideoParameters())
RESTART = {10, 11, 12, 13, 14, 15, 16, 17, 19, 24}
"""After these, Zoom's documents ask for a new start; after others there is nothing to come back to."""


async def play(simulate: Simulate, attend: Attend, name: str, **options: Any) -> tuple[Any, Any, Attendant]:
    simulator = await simulate(speed=options.pop("speed", SPEED), rules=options.pop("rules", None))
    stream = await simulator.start(scenario_library.load(name))
    return simulator, stream, attend(simulator, stream, **options)


async def test_every_stop_reason_and_whether_to_start_again(simulate: Simulate, attend: Attend) -> None:
    """Slow enough for a busy machine to be connected well before the tenth second."""
    simulator = await simulate(speed=1.5)
    names = [name for name in scenario_library.names() if name.startswith("stop-")]
    streams, attendants = [], []
    for name in names:
        streams.append(await simulator.start(scenario_library.load(name)))
        attendants.append(attend(simulator, streams[-1], media=AUDIO))
    outcomes = await asyncio.gather(*(attendant.outcome() for attendant in attendants))
    assert [(o.cause, o.code) for o in outcomes] == [(EndCause.STOPPED, number) for number in range(1, 27)]
    assert {o.code for o in outcomes if o.retryable} == RESTART
    assert [stream.stop_reason for stream in streams] == [StopReason(number) for number in range(1, 27)]
    assert all(attendant.said.tally() for attendant in attendants)


async def test_what_breaks_comes_back_and_no_audio_is_lost(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=2.0)

    async def play_one(name: str, unified: bool) -> None:
        stream = await simulator.start(scenario_library.load(name))
        settings = SETTINGS.model_copy(update={"unified_media": unified})
        attendant = attend(simulator, stream, settings, media=TALK_AND_FACES)
        outcome = await attendant.outcome()
        assert (outcome.cause, outcome.code) == (EndCause.STOPPED, StopReason.MEETING_ENDED), name
        assert attendant.said.of(SocketLost), name
        tally, truth = attendant.said.tally(), truth_tally(stream)
        assert {k: facts for k, facts in tally.items() if k[0] == "audio"} == {
            k: facts for k, facts in truth.items() if k[0] == "audio"
        }, name
        sent = len([frame for frame in stream.truth.sent if frame.medium is Medium.AUDIO])
        assert sent == len(list(stream.meeting.of_medium(Medium.AUDIO))), name
        media = [story.media for story in stream.truth.connections if story.kind == "media"]
        alone = not unified and name in ("audio-cut", "video-cut")
        assert len(media) == (3 if alone else 2 if unified else 4), name

    names = ("signalling-cut", "media-cut", "audio-cut", "video-cut")
    await asyncio.gather(*(play_one(name, unified) for name in names for unified in (True, False)))


async def test_the_server_moves(simulate: Simulate, attend: Attend) -> None:
    simulator, stream, attendant = await play(simulate, attend, "server-moves", speed=4.0)
    first = simulator.signalling_url(stream)
    await attendant.said.until(lambda said: said.of(SocketLost))
    assert simulator.signalling_url(stream) != first
    attendant.session.reconnect((simulator.signalling_url(stream),))
    assert (await attendant.outcome()).code == StopReason.MEETING_ENDED
    audio = [frame for frame in stream.truth.sent if frame.medium is Medium.AUDIO]
    assert len(audio) == len(list(stream.meeting.of_medium(Medium.AUDIO)))


async def test_nobody_is_at_the_old_address(simulate: Simulate, attend: Attend) -> None:
    """Without the second webhook there is no way back, and after Zoom's patience the stream is over."""
    _, stream, attendant = await play(simulate, attend, "server-moves", rules=Rules(signalling_window_s=0.3))
    await stream.ended.wait()
    assert stream.stop_reason is StopReason.AWAIT_RECONNECTION_TIMEOUT
    assert not attendant.running.done()


@pytest.mark.parametrize(
    ("name", "reason", "cause"),
    [("window-missed", 19, EndCause.GONE), ("media-window-missed", 16, EndCause.STOPPED)],
)
async def test_who_comes_back_too_late(
    simulate: Simulate, attend: Attend, name: str, reason: int, cause: EndCause
) -> None:
    simulator = await simulate(speed=2.0)
    impatient = {"signalling_window_s": 1.0, "media_window_s": 1.0}
    stream = await simulator.start(replace(scenario_library.load(name), rules=impatient))
    outcome = await attend(simulator, stream, media=AUDIO).outcome()
    assert stream.stop_reason == reason
    assert outcome.cause is cause


@pytest.mark.parametrize(
    ("name", "code"), [("signalling-refused", 3), ("media-refused", 22)]
)  # fmt: skip
async def test_what_is_refused_for_good(simulate: Simulate, attend: Attend, name: str, code: int) -> None:
    _, stream, attendant = await play(simulate, attend, name)
    outcome = await attendant.outcome()
    assert (outcome.cause, outcome.code) == (EndCause.REFUSED, code)
    assert len([story for story in stream.truth.connections if story.status == code]) == 1


async def test_what_is_refused_for_now(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=1.0)

    async def play_one(name: str, trouble: int) -> None:
        stream = await simulator.start(scenario_library.load(name))
        attendant = attend(simulator, stream, media=AUDIO)
        await attendant.said.until(lambda said: said.of(FrameReceived))
        stream.stop(StopReason.MEETING_ENDED)
        assert (await attendant.outcome()).cause is EndCause.STOPPED, name
        refused = [story for story in stream.truth.connections if story.status]
        assert len(refused) == trouble, name

    expected = {"signalling-duplicate": 2, "signalling-refused-once": 1, "signalling-slammed": 0,
                "media-duplicate": 2, "media-refused-once": 1, "media-slammed": 0}  # fmt: skip
    await asyncio.gather(*(play_one(*item) for item in expected.items()))


async def test_unheard_answers_cut_every_socket(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=1.0)
    request = replace(scenario_library.load("answers-unheard"), rules={"keep_alive_s": 0.2})
    stream = await simulator.start(request)
    attendant = attend(simulator, stream, media=AUDIO)
    await attendant.said.until(lambda said: said.of(SocketLost))
    stream.stop(StopReason.KEEP_ALIVE_TIMEOUT)
    await attendant.outcome()
    assert "keep_alive" in {story.ended_by for story in stream.truth.connections}


async def test_alarms_that_are_false_cost_nothing(simulate: Simulate, attend: Attend) -> None:
    _, stream, attendant = await play(simulate, attend, "false-alarm", media=AUDIO)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    assert attendant.said.tally() == truth_tally(stream)


@pytest.mark.parametrize("name", ["size-changes", "switch-mid-group", "large-picture", "cameras-off", "two-sharers"])
async def test_pictures_arrive_as_they_were_sent(simulate: Simulate, attend: Attend, name: str) -> None:
    settings = SETTINGS.model_copy(update={"max_message_bytes": 24 * 1024 * 1024})
    _, stream, attendant = await play(simulate, attend, name, settings=settings)
    assert (await attendant.outcome()).code == StopReason.MEETING_ENDED
    said = attendant.said
    assert said.tally() == truth_tally(stream)
    assert said.of(FrameRejected) == []
    pictures = [frame for frame in said.of(FrameReceived) if frame.medium is Medium.VIDEO]
    switches = [b for a, b in zip(pictures, pictures[1:], strict=False) if a.user_id != b.user_id]
    if name == "switch-mid-group":
        assert any(not frame.key_frame for frame in switches)
    else:
        assert all(frame.key_frame for frame in switches)
    if name == "large-picture":
        assert max(len(frame.payload) for frame in pictures) >= 10_000_000
    if name == "two-sharers":
        assert len({frame.user_id for frame in said.of(FrameReceived) if frame.medium is Medium.SHARE}) == 2
    if name == "cameras-off":
        gaps = [b.timestamp_ms - a.timestamp_ms for a, b in zip(pictures, pictures[1:], strict=False)]
        assert max(gaps) > 1_500


async def test_what_zoom_says_of_its_captions_later_is_received_as_that(simulate: Simulate, attend: Attend) -> None:
    _, stream, attendant = await play(simulate, attend, "captions-corrected", media=CAPTIONS)
    assert (await attendant.outcome()).code == StopReason.MEETING_ENDED
    said = [(one.start_ms, one.text, one.attribute) for one in attendant.said.of(CaptionReceived)]
    assert [attribute for *_, attribute in said] == [1, 1, 1, 1, 2, 3]
    assert [(start_ms, text) for start_ms, text, _ in said] == [
        (one["start_ms"], one["text"]) for one in stream.truth.captions
    ]
    assert [one["operation"] for one in stream.truth.captions] == ["new"] * 4 + ["update", "delete"]


@pytest.mark.parametrize("name", ["webinar", "video-sdk-session", "phone-call"])
async def test_other_products(simulate: Simulate, attend: Attend, name: str) -> None:
    _, stream, attendant = await play(simulate, attend, name, media=AUDIO)
    assert (await attendant.outcome()).code == StopReason.MEETING_ENDED
    assert attendant.said.tally() == truth_tally(stream)
    assert attendant.said.of(ParticipantJoined)


async def test_a_contact_center_call_has_channels_and_its_own_events(simulate: Simulate, attend: Attend) -> None:
    _, stream, attendant = await play(simulate, attend, "contact-center")
    assert (await attendant.outcome()).code == StopReason.MEETING_ENDED
    said = attendant.said
    assert stream.truth.complaints == []
    frames = said.of(FrameReceived, CaptionReceived)
    assert {frame.user_id for frame in frames} == {0}
    assert len({frame.channel_id for frame in frames}) == 2
    assert {frame.user_name for frame in frames} == {"Consumer", "Agent"}
    kinds = [event.code for event in said.of(ContactCenterEvent)]
    assert sorted(kinds) == [8, 9, 10, 11]
    assert {event.channel_id for event in said.of(ContactCenterEvent)} == {frame.channel_id for frame in frames}
    assert len(frames) == sum(facts["frames"] for facts in stream.truth.media_json().values())


async def test_a_pause_is_a_pause(simulate: Simulate, attend: Attend) -> None:
    _, stream, attendant = await play(simulate, attend, "paused", media=AUDIO, speed=4.0)
    await attendant.outcome()
    assert [event.code for event in attendant.said.of(StreamStateChanged)][:3] == [1, 5, 6]
    assert attendant.said.tally() == truth_tally(stream)
