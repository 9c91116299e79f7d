"""The meetings of a seed, as a connector worker hears them: what was sent, with the ticks of the silences. Pure.

The simulator's meeting is the truth. Its messages are read by the protocol's own readers and its silences are told by
the protocol's own `Ticks`, so that the topics get what a worker would write, only without sockets and without waiting.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import msgspec

from connectors.rtms.protocol import happenings, texts
from connectors.rtms.protocol.codes import Medium
from connectors.rtms.protocol.events import SIGNALING, CaptionReceived, ChatReceived, FrameReceived, TickDue, ZoomEvent
from connectors.rtms.protocol.ticks import Ticks
from connectors.rtms.simulator import wire
from connectors.rtms.simulator.frames import AnyFrame, AudioFrame, CaptionFrame, ChatFrame, PictureFrame
from connectors.rtms.simulator.meeting import START_MS, Meeting
from connectors.rtms.simulator.script import Correction

Heard = FrameReceived | CaptionReceived | ChatReceived | ZoomEvent | TickDue

MEDIA = "media"
KEEP_ALIVE_MS = 10_000
ANSWER_MS = 30
CORRECTED, CORRECTED_AFTER_MS = 0.35, (50, 9_000)
"""How many captions of a corrected meeting, and how long after they came."""
MEETING_APART_MS = 7_919
"""Between two meetings' starts on Zoom's clock: no two lie on the same segment grid."""


class Line(NamedTuple):
    """One thing that a worker hears, and when (Zoom's clock)."""

    at_ms: int
    event: Heard


def meetings(seed: int, lengths_s: list[int]) -> list[Meeting]:
    """One meeting a length; the same seed and lengths, the same meetings."""
    return [
        Meeting.build(seed + number, seconds, START_MS + number * MEETING_APART_MS)
        for number, seconds in enumerate(lengths_s)
    ]


def corrected(meeting: Meeting, seed: int) -> Meeting:
    """The same, but that Zoom changes its mind about every third caption or so: other words, or none."""
    dice, found = random.Random(f"{seed} corrections"), list[Correction]()
    last_ms = meeting.script.length_ms - 1
    for number, caption in enumerate(meeting.of_medium(Medium.CAPTIONS)):
        at_ms = caption.due_ms - meeting.start_ms + dice.randint(*CORRECTED_AFTER_MS)
        if dice.random() < CORRECTED and at_ms < last_ms:
            found.append(Correction(at_ms, number, dice.choice((None, f"rather {number}"))))
    return replace(meeting, script=replace(meeting.script, corrections=tuple(found)))


def heard(meeting: Meeting) -> Iterator[Line]:
    """Everything, in the order of hearing it."""
    ticks = Ticks()
    ticks.connected(SIGNALING, probing=True)
    ticks.connected(MEDIA, probing=True)
    ticks.told(SIGNALING, meeting.start_ms, meeting.start_ms)
    ticks.ready({medium: MEDIA for medium in Medium if medium is not Medium.EVENTS}, meeting.start_ms)
    for at_ms, frame in _with_keep_alives(meeting):
        yield from _silences(ticks, at_ms)
        if frame is None:
            ticks.told(SIGNALING, at_ms, at_ms)
            ticks.told(MEDIA, at_ms, at_ms)
            continue
        channel = SIGNALING if frame.medium is Medium.EVENTS else MEDIA
        assert ticks.frame(frame.medium, channel, frame.timestamp_ms, at_ms)
        for event in _read(frame):
            yield Line(at_ms, event)


def _with_keep_alives(meeting: Meeting) -> Iterator[tuple[int, AnyFrame | None]]:
    frames = ((frame.due_ms, 1, frame) for frame in meeting.frames())
    alive = ((at_ms, 0, None) for at_ms in range(meeting.start_ms, meeting.end_ms, KEEP_ALIVE_MS))
    for at_ms, _, frame in heapq.merge(frames, alive, key=lambda row: row[:2]):
        yield at_ms, frame


def _silences(ticks: Ticks, until_ms: int) -> Iterator[Line]:
    """The ticks that are due before the next thing is heard; Zoom answers every ping."""
    while (now_ms := ticks.wake_ms) < until_ms:
        due, probes = ticks.due(now_ms)
        for tick in due:
            yield Line(now_ms, tick)
        for channel in probes:
            ticks.pong(channel, min(now_ms + ANSWER_MS, until_ms))


def _read(frame: AnyFrame) -> list[Heard]:
    if isinstance(frame, AudioFrame):
        return [FrameReceived(frame.medium, frame.user_id, frame.user_name, frame.timestamp_ms, frame.payload)]
    if isinstance(frame, PictureFrame):
        user = frame.user_id, frame.user_name
        return [FrameReceived(frame.medium, *user, frame.timestamp_ms, frame.payload, frame.key_frame)]
    message = msgspec.json.decode(wire.write_frame(frame))
    if isinstance(frame, CaptionFrame):
        return [texts.read_caption(message)]
    if isinstance(frame, ChatFrame):
        return [texts.read_chat(message)]
    return [*happenings.read_event(message, happenings.Context("meeting", frame.due_ms))]


def sent(meeting: Meeting) -> dict[str, int]:
    """How many messages of each medium the meeting has, by topic; a listing counts once per person."""
    counts = {f"rtms.{medium}": 0 for medium in Medium}
    for frame in meeting.frames():
        counts[f"rtms.{frame.medium}"] += 1
    return counts
