"""What the played worker hears is the meeting, whole, and its ticks promise nothing that does not hold."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.rtms.protocol.codes import Medium, TextAttribute
from connectors.rtms.protocol.events import CaptionReceived, ChatReceived, FrameReceived, TickDue
from connectors.rtms.simulator import texts, writer
from connectors.rtms.simulator.meeting import Meeting
from tests.soak.meetings import Line, corrected, heard, sent


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Meeting:
    folder: Path = tmp_path_factory.mktemp("films")
    return Meeting.build(5, 12, cache=folder)


@pytest.fixture(scope="module")
def lines(meeting: Meeting) -> list[Line]:
    return list(heard(meeting))


def medium_of(line: Line) -> Medium:
    has_medium = FrameReceived | CaptionReceived | ChatReceived | TickDue
    return line.event.medium if isinstance(line.event, has_medium) else Medium.EVENTS


def test_everything_is_heard_once_and_in_order(meeting: Meeting, lines: list[Line]) -> None:
    frames = [line for line in lines if not isinstance(line.event, TickDue)]
    assert Counter(f"rtms.{medium_of(line)}" for line in frames) == sent(meeting)
    assert [line.at_ms for line in frames] == sorted(line.at_ms for line in frames)


def test_the_same_meeting_is_heard_the_same(meeting: Meeting, lines: list[Line]) -> None:
    assert list(heard(meeting)) == lines


def test_zoom_changes_its_mind_about_captions_that_it_has_sent(meeting: Meeting) -> None:
    changed = corrected(replace(meeting, script=writer.write(5, 120)), seed=1)
    captions = list(changed.of_medium(Medium.CAPTIONS))
    later = [frame for frame in captions if frame.attribute is not None]
    assert {frame.attribute for frame in later} == {TextAttribute.UPDATE, TextAttribute.DELETE}
    texts.check(changed.script)
    assert max(frame.due_ms for frame in later) < changed.end_ms
    assert corrected(replace(meeting, script=writer.write(5, 120)), seed=1) == changed


def test_nothing_comes_from_before_a_tick(lines: list[Line]) -> None:
    through: dict[Medium, int] = {}
    ticks = 0
    for line in lines:
        if isinstance(line.event, TickDue):
            through[line.event.medium] = line.event.through_ms
            ticks += 1
        elif (medium := medium_of(line)) in through:
            assert line.event.timestamp_ms >= through[medium]
    assert ticks > 20
    assert set(through) == set(Medium) - {Medium.VIDEO}
