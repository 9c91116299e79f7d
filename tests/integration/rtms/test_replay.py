"""A simulated meeting is captured by the client, the capture is played, and what arrives is the same, byte for byte."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.rtms.protocol.codes import StopReason
from connectors.rtms.protocol.events import (
    ActiveSpeakerChanged,
    CaptionReceived,
    ChatReceived,
    EndCause,
    FrameReceived,
    FrameRejected,
    MediaReady,
    ParticipantJoined,
)
from connectors.rtms.protocol.parameters import AudioParameters, MediaParameters
from connectors.rtms.simulator import scenario_library
from connectors.rtms.simulator.recording import BadRecording, RecordedMeeting
from connectors.rtms.simulator.request import MeetingRequest
from connectors.rtms.simulator.rules import Rules
from tests.integration.rtms.conftest import SETTINGS, Attendant, Simulate, truth_tally

Attend = Callable[..., Attendant]


async def capture(simulate: Simulate, attend: Attend, folder: Path, name: str, **changes: Any) -> tuple[Path, Any, Any]:
    """The file, the stream and the client of a scenario that was captured."""
    simulator = await simulate(speed=changes.pop("speed", 4.0))
    stream = await simulator.start(replace(scenario_library.load(name), seconds=20))
    settings = SETTINGS.model_copy(update={"capture_folder": folder} | changes)
    attendant = attend(simulator, stream, settings)
    assert (await attendant.outcome()).cause is EndCause.STOPPED
    return folder / f"{stream.identity.stream_id}.rtms.jsonl", stream, attendant


def received(attendant: Attendant) -> list[Any]:
    """Everything of the meeting per kind, in order."""
    kinds = (FrameReceived, CaptionReceived, ChatReceived, ParticipantJoined, ActiveSpeakerChanged)
    frames = [event for event in attendant.said.of(*kinds)]
    return sorted(
        frames, key=lambda event: (type(event).__name__, str(getattr(event, "medium", "")), event.timestamp_ms)
    )


@pytest.mark.parametrize("unified", [True, False])
async def test_what_was_captured_arrives_again(
    simulate: Simulate, attend: Attend, tmp_path: Path, unified: bool
) -> None:
    options = {"capture_names": True, "unified_media": unified}
    file, stream, first = await capture(simulate, attend, tmp_path, "usual", **options)
    simulator = await simulate(speed=4.0)
    again = await simulator.start(MeetingRequest(recording=file))
    asked = MediaParameters(audio=AudioParameters(send_rate=20)).merged(first.said.of(MediaReady)[0].negotiated)
    second = attend(simulator, again, media=asked)
    outcome = await second.outcome()
    assert (outcome.cause, outcome.code) == (EndCause.STOPPED, StopReason.MEETING_ENDED)
    assert second.said.tally() == first.said.tally() == truth_tally(stream) == truth_tally(again)
    assert received(second) == received(first)
    assert second.said.of(FrameRejected) == []
    assert second.said.of(MediaReady)[0].negotiated == first.said.of(MediaReady)[0].negotiated
    assert again.truth.complaints == []


async def test_secrets_and_names_are_not_in_the_file(simulate: Simulate, attend: Attend, tmp_path: Path) -> None:
    file, stream, first = await capture(simulate, attend, tmp_path, "usual")
    text = file.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0] == {"rtms_capture": 1, "pseudonymised": True}
    handshakes = [
        json.loads(line["text"])
        for line in lines[1:]
        if '"msg_type":1,' in line["text"] or '"msg_type":3,' in line["text"]
    ]
    assert [message["signature"] for message in handshakes] == ["removed", "removed"]
    assert "127.0.0.1" not in text
    for person in stream.meeting.participants:
        assert person.name not in text
    simulator = await simulate(speed=16.0)
    again = await simulator.start(MeetingRequest(recording=file))
    second = attend(simulator, again)
    await second.outcome()
    assert second.said.tally() == first.said.tally()
    names = {event.user_name or "" for event in second.said.of(ParticipantJoined)}
    assert len(names) == len(first.said.of(ParticipantJoined)) > 1
    assert all(re.fullmatch("Participant [0-9a-f]{6}", name) for name in names)
    assert file.stat().st_mode & 0o077 == 0


async def test_text_and_binary_frames_are_repeated_as_they_came(
    simulate: Simulate, attend: Attend, tmp_path: Path
) -> None:
    """Told by capturing what is played once more."""
    first, second = tmp_path / "first", tmp_path / "second"
    file, _, _ = await capture(simulate, attend, first, "mixed-frames", capture_names=True)
    simulator = await simulate(speed=4.0)
    again = await simulator.start(MeetingRequest(recording=file))
    settings = SETTINGS.model_copy(update={"capture_folder": second, "capture_names": True})
    await attend(simulator, again, settings).outcome()
    played = second / f"{again.identity.stream_id}.rtms.jsonl"
    assert frames_in(played) == frames_in(file)
    assert {is_binary for _, is_binary in frames_in(file)} == {True, False}


def frames_in(file: Path) -> set[tuple[str, bool]]:
    """Every media message, and whether it came in binary frames."""
    lines = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    return {(line["text"], line.get("binary", False)) for line in lines if '"content":' in line["text"]}


async def test_a_recording_to_which_nobody_comes_ends_by_itself(
    simulate: Simulate, attend: Attend, tmp_path: Path
) -> None:
    file, _, _ = await capture(simulate, attend, tmp_path, "usual")
    simulator = await simulate(speed=16.0, rules=Rules(handshake_s=0.5))
    again = await simulator.start(MeetingRequest(recording=file))
    await asyncio.wait_for(again.ended.wait(), 60)
    assert again.stop_reason is StopReason.MEETING_ENDED


async def test_a_recording_waits_for_its_client_however_fast_it_is_played(
    simulate: Simulate, attend: Attend, tmp_path: Path
) -> None:
    file, _, first = await capture(simulate, attend, tmp_path, "usual")
    simulator = await simulate(speed=500.0)
    again = await simulator.start(MeetingRequest(recording=file))
    await again.clock.until(again.meeting.end_ms)
    second = attend(simulator, again)
    await second.outcome()
    assert second.said.tally() == first.said.tally()
    assert len(second.said.of(ParticipantJoined)) == len(first.said.of(ParticipantJoined))


async def test_a_folder_that_cannot_be_written_costs_no_stream(
    simulate: Simulate, attend: Attend, tmp_path: Path
) -> None:
    folder = tmp_path / "a-file"
    folder.touch()
    _, stream, attendant = await capture(simulate, attend, folder, "usual")
    assert attendant.said.tally() == truth_tally(stream)


@pytest.mark.parametrize("name", ["media-cut", "signalling-cut"])
async def test_a_capture_goes_through_a_broken_connection(
    simulate: Simulate, attend: Attend, tmp_path: Path, name: str
) -> None:
    file, _, first = await capture(simulate, attend, tmp_path, name, speed=2.5)
    names = {frame.user_name for frame in first.said.of(FrameReceived) if frame.user_name}
    simulator = await simulate(speed=16.0)
    again = await simulator.start(MeetingRequest(recording=file))
    second = attend(simulator, again)
    await second.outcome()
    assert second.said.tally() == first.said.tally()
    aliases = {frame.user_name for frame in second.said.of(FrameReceived) if frame.user_name}
    assert len(aliases) == len(names), "somebody has two aliases"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "this is no capture"),
        ("{}\n", "this is no capture"),
        ('{"rtms_capture": 2}\n', "version 2; this program reads 1"),
        ('{"rtms_capture": 1}\n{"x": 1}\n', "line 2: no message of a capture"),
        ('{"rtms_capture": 1}\n', "there is no stream in it"),
    ],
)
def test_what_is_no_capture(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bad.rtms.jsonl"
    file.write_text(text)
    with pytest.raises(BadRecording, match=words):
        RecordedMeeting.open_file(file)
