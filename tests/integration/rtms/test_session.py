"""Whole streams against the simulated Zoom: what it sent is what arrived, whatever went wrong in between."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from connectors.rtms.protocol import connection
from connectors.rtms.protocol.codes import Medium, Status, StopReason
from connectors.rtms.protocol.events import (
    CaptionReceived,
    EndCause,
    FrameReceived,
    FrameRejected,
    MediaReady,
    MediumRefused,
    ParticipantJoined,
    ParticipantLeft,
    SocketLost,
    StreamEnded,
    TickDue,
    ZoomEvent,
)
from connectors.rtms.protocol.parameters import AudioParameters, MediaParameters
from connectors.rtms.simulator.faults import Fault, FaultKind
from connectors.rtms.simulator.rules import EVERY_MEDIUM, Duplicate, Rules
from tests.integration.rtms.conftest import PATIENCE_S, SETTINGS, Attendant, Simulate, meeting, truth_tally

Attend = Callable[..., Attendant]


@pytest.mark.parametrize("transport", ["picows", "websockets"])
@pytest.mark.parametrize("unified", [True, False])
async def test_a_whole_meeting_arrives_byte_for_byte(
    simulate: Simulate, attend: Attend, transport: str, unified: bool
) -> None:
    simulator = await simulate(speed=4.0)  # silences are told by the real clock, the first after a second or two
    stream = await simulator.start(meeting())
    settings = SETTINGS.model_copy(update={"transport": transport, "unified_media": unified})
    attendant = attend(simulator, stream, settings)
    outcome = await attendant.outcome()

    assert (outcome.cause, outcome.code, outcome.retryable) == (EndCause.STOPPED, StopReason.MEETING_ENDED, False)
    said = attendant.said
    assert said.tally() == truth_tally(stream)
    assert stream.truth.complaints == []
    assert said.of(FrameRejected, SocketLost) == []
    assert len(said.of(MediaReady)) == 1
    assert said.broken_ticks() == []
    assert said.of(TickDue)
    people = {person.user_id: person.name for person in stream.meeting.participants}
    assert {event.user_id: event.user_name for event in said.of(ParticipantJoined)} == people
    assert {event.user_id for event in said.of(ParticipantLeft)} == set(people)
    first_medium = next(i for i, e in enumerate(said.events) if isinstance(e, FrameReceived | ZoomEvent | TickDue))
    assert isinstance(said.events[first_medium - 1], MediaReady)
    assert isinstance(said.events[-1], StreamEnded)
    assert any(frame.key_frame for frame in said.of(FrameReceived) if frame.medium is Medium.VIDEO)


async def test_ticks_follow_zooms_clock_when_nobody_says_anything(simulate: Simulate, attend: Attend) -> None:
    """In real time, where the rules' milliseconds mean what they say."""
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(meeting(20))
    attendant = attend(simulator, stream)
    await attendant.outcome()
    said = attendant.said
    assert said.broken_ticks() == []
    shares = [tick.through_ms for tick in said.of(TickDue) if tick.medium is Medium.SHARE]
    steps = [after - before for before, after in zip(shares, shares[1:], strict=False)]
    assert steps
    assert max(steps) < 6_000  # a share runs for some seconds; silence is told every second
    silent = [step for step in steps if step < 1_700]
    assert len(silent) >= 8
    assert abs(shares[-1] - stream.meeting.end_ms) < 4_000


@pytest.mark.parametrize("kind", [FaultKind.STRING_IDS, FaultKind.BINARY, FaultKind.MIXED_FRAMING])
async def test_habits_of_real_servers_make_no_difference(simulate: Simulate, attend: Attend, kind: FaultKind) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting(20, Fault(kind=kind)))
    attendant = attend(simulator, stream)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    assert attendant.said.tally() == truth_tally(stream)
    assert attendant.said.of(FrameRejected) == []


async def test_caption_times_in_microseconds_are_the_same_times(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting(20, Fault(kind=FaultKind.CAPTIONS_IN_US)))
    attendant = attend(simulator, stream)
    await attendant.outcome()
    got = [(caption.start_ms, caption.end_ms, caption.text) for caption in attendant.said.of(CaptionReceived)]
    assert got
    assert got == [(caption["start_ms"], caption["end_ms"], caption["text"]) for caption in stream.truth.captions]


async def test_a_burst_of_buffered_audio_is_never_overtaken_by_a_tick(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(meeting(20, Fault(kind=FaultKind.LATE_START, for_s=15)))
    attendant = attend(simulator, stream)
    await attendant.outcome()
    said = attendant.said
    assert said.tally() == truth_tally(stream)
    first = next(frame for frame in said.of(FrameReceived) if frame.medium is Medium.AUDIO)
    assert first.timestamp_ms < stream.meeting.start_ms + 5_000
    assert said.broken_ticks() == []


async def test_a_type_of_message_nobody_knows_is_passed_over(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting(20, Fault(kind=FaultKind.UNKNOWN_MESSAGE, at_s=5)))
    attendant = attend(simulator, stream)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    assert attendant.said.of(FrameRejected) == []


async def test_only_what_the_app_may_have_is_asked_for(simulate: Simulate, attend: Attend) -> None:
    rules = Rules(offered=frozenset({Medium.AUDIO, Medium.CAPTIONS}))
    simulator = await simulate(rules=rules)
    stream = await simulator.start(meeting())
    attendant = attend(simulator, stream)
    await attendant.outcome()
    assert set(attendant.said.of(MediaReady)[0].negotiated) == {Medium.AUDIO, Medium.CAPTIONS}
    assert attendant.said.tally() == truth_tally(stream)
    assert stream.truth.complaints == []


# --- refusals -------------------------------------------------------------------------------------------------------


async def test_a_wrong_secret_is_refused_with_zooms_status(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting())
    outcome = await attend(simulator, stream, client_secret="wrong").outcome()
    assert (outcome.cause, outcome.code) == (EndCause.REFUSED, Status.INVALID_SIGNATURE)
    assert not outcome.connected_once


async def test_an_unknown_stream_is_refused_with_zooms_status(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting())
    outcome = await attend(simulator, stream, stream_id="nobody knows").outcome()
    assert (outcome.cause, outcome.code) == (EndCause.REFUSED, Status.INVALID_RTMS_STREAM_ID)


async def test_an_address_that_is_not_allowed_is_not_called(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting())
    strict = SETTINGS.model_copy(update={"allowed_hosts": "*.zoom.us"})
    outcome = await attend(simulator, stream, strict).outcome()
    assert outcome.cause is EndCause.FORBIDDEN_ADDRESS
    assert stream.truth.connections == []


async def test_a_medium_that_zoom_refuses_is_left_out(simulate: Simulate, attend: Attend) -> None:
    status = Status.MEDIA_TYPE_CHAT_NOT_SUPPORT
    simulator = await simulate()
    stream = await simulator.start(meeting(20, Fault(kind=FaultKind.REFUSE_MEDIA, status=status)))
    attendant = attend(simulator, stream)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    assert attendant.said.of(MediumRefused) == [MediumRefused(Medium.CHAT, status)]
    assert set(attendant.said.of(MediaReady)[0].negotiated) == EVERY_MEDIUM - {Medium.CHAT}
    assert attendant.said.tally() == truth_tally(stream)


async def test_a_duplicate_refusal_is_tried_again_until_zoom_has_noticed(simulate: Simulate, attend: Attend) -> None:
    """A worker died without a word; Zoom still holds its connection for a while."""
    simulator = await simulate(speed=2.0, rules=Rules(duplicate=Duplicate.REFUSE))
    refuse = Fault(kind=FaultKind.REFUSE_SIGNALLING, status=Status.DUPLICATE_SIGNAL_REQUEST, times=2)
    stream = await simulator.start(meeting(20, refuse))
    attendant = attend(simulator, stream)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    waits = [lost.retry_in_ms for lost in attendant.said.of(SocketLost)]
    assert waits == [1_500, 2_000]


# --- losses ---------------------------------------------------------------------------------------------------------


async def test_a_media_socket_cut_off_comes_back_by_itself(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=2.0)
    stream = await simulator.start(meeting(20, Fault(kind=FaultKind.CUT_MEDIA, at_s=6)))
    attendant = attend(simulator, stream)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    said = attendant.said
    assert [ready.again for ready in said.of(MediaReady)] == [False, True]
    assert [story.kind for story in stream.truth.connections].count("signalling") == 1
    assert said.broken_ticks() == []
    meant = [(f.user_id, f.timestamp_ms) for f in stream.meeting.of_medium(Medium.AUDIO)]
    got = {(f.user_id, f.timestamp_ms) for f in said.of(FrameReceived) if f.medium is Medium.AUDIO}
    assert len(set(meant) - got) <= 12, "what Zoom had handed to the broken socket, nothing more"


async def test_signalling_cut_off_takes_everything_down_and_up_again(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=2.0)
    stream = await simulator.start(meeting(20, Fault(kind=FaultKind.CUT_SIGNALLING, at_s=6)))
    attendant = attend(simulator, stream)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    said = attendant.said
    assert [ready.again for ready in said.of(MediaReady)] == [False, True]
    assert [lost.channel for lost in said.of(SocketLost)] == ["signaling"]
    last = said.events.index(said.of(MediaReady)[1])
    assert any(isinstance(event, ParticipantLeft) for event in said.events[last:]), "subscribed again"
    assert stream.truth.complaints == []


async def test_zoom_moves_the_stream_to_another_address(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=2.0)
    stream = await simulator.start(meeting())
    attendant = attend(simulator, stream)
    await attendant.said.until(lambda said: len(said.of(FrameReceived)) > 20)
    attendant.session.reconnect((simulator.signalling_url(stream) + "?moved=1",))
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    assert [ready.again for ready in attendant.said.of(MediaReady)] == [False, True]
    assert attendant.said.of(SocketLost) == []


async def test_somebody_else_keeps_taking_the_stream(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate(speed=1.0)
    stream = await simulator.start(meeting(60))  # of which nobody wants pictures: they would have to be drawn
    one, other = (attend(simulator, stream, media=MediaParameters(audio=AudioParameters())) for _ in range(2))
    ended, _ = await asyncio.wait({one.running, other.running}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
    assert ended
    assert ended.pop().result().cause is EndCause.DUPLICATE_CONNECTION


# --- endings --------------------------------------------------------------------------------------------------------


async def test_close_ends_the_stream_at_zoom(simulate: Simulate, attend: Attend) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting())
    attendant = attend(simulator, stream)
    await attendant.said.until(lambda said: len(said.of(FrameReceived)) > 20)
    attendant.session.close()
    outcome = await attendant.outcome()
    assert (outcome.cause, outcome.code, outcome.confirmed) == (
        EndCause.CLOSED,
        StopReason.RECEIVER_REQUEST_CLOSE,
        True,
    )
    await asyncio.wait_for(stream.ended.wait(), PATIENCE_S)
    assert stream.stop_reason is StopReason.RECEIVER_REQUEST_CLOSE
    assert attendant.said.tally() == truth_tally(stream)


async def test_a_hand_over_leaves_the_stream_to_the_next_and_loses_no_byte_that_was_sent(
    simulate: Simulate, attend: Attend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CLOSING_MS", round(2000 * PATIENCE_S))  # so that it is no deadline that ends it
    simulator = await simulate(speed=4.0)
    stream = await simulator.start(meeting(20))
    first = attend(simulator, stream, SETTINGS.model_copy(update={"close_timeout_s": 2 * PATIENCE_S}))
    await first.said.until(lambda said: len(said.of(FrameReceived)) > 100)
    first.session.hand_over()
    outcome = await first.outcome()
    assert (outcome.cause, outcome.confirmed) == (EndCause.HANDED_OVER, True)
    assert first.said.tally() == truth_tally(stream)
    assert stream.stop_reason is None

    second = attend(simulator, stream)
    assert (await second.outcome()).cause is EndCause.STOPPED
    audio = [
        (frame.user_id, frame.timestamp_ms, frame.payload)
        for frame in first.said.of(FrameReceived) + second.said.of(FrameReceived)
        if frame.medium is Medium.AUDIO
    ]
    assert sorted(audio) == sorted(
        (frame.user_id, frame.timestamp_ms, frame.payload) for frame in stream.meeting.of_medium(Medium.AUDIO)
    ), "audio is complete across the hand-over"


async def test_closed_before_it_was_opened(simulate: Simulate) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting())
    attendant = Attendant(simulator, stream)
    attendant.session.hand_over()
    assert (await attendant.outcome()).cause is EndCause.HANDED_OVER
    assert stream.truth.connections == []


async def test_an_owner_that_fails_ends_its_session(simulate: Simulate) -> None:
    simulator = await simulate()
    stream = await simulator.start(meeting())
    attendant = Attendant(simulator, stream)

    def fail(_event: Any) -> None:
        raise ZeroDivisionError

    attendant.session._on_event = fail
    with pytest.raises(ZeroDivisionError):
        await attendant.outcome()
