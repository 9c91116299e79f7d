"""The events of a script: who joins and leaves, whose camera is on, who shares, who is the active speaker."""

from collections.abc import Iterable, Iterator
from typing import Any

from connectors.rtms.protocol import messages
from connectors.rtms.protocol.codes import EventType, Medium
from connectors.rtms.simulator.frames import EventFrame
from connectors.rtms.simulator.people import Person
from connectors.rtms.simulator.script import Script

_JOIN, _LEAVE = EventType.PARTICIPANT_JOIN, EventType.PARTICIPANT_LEAVE
_VIDEO_ON, _VIDEO_OFF = EventType.PARTICIPANT_VIDEO_ON, EventType.PARTICIPANT_VIDEO_OFF

_ORDER = (_JOIN, EventType.ACTIVE_SPEAKER_CHANGE, _VIDEO_ON, EventType.SHARING_START, EventType.SHARING_STOP,
          _VIDEO_OFF, _LEAVE)  # fmt: skip
"""What comes first of what happens in the same millisecond."""


def joined(people: Iterable[Person]) -> dict[str, Any]:
    """The fields of event 3."""
    return messages.participants((person.user_id, person.name) for person in people)


def listed(people: Iterable[Person]) -> dict[str, Any]:
    """The fields of events 4, 8 and 9, which have no names."""
    return messages.participants((person.user_id, None) for person in people)


def _named(person: Person) -> dict[str, Any]:
    return {"user_id": person.user_id, "user_name": person.name}


def happenings(script: Script, start_ms: int) -> Iterator[EventFrame]:
    """All events, each about one person, sorted by time. Cameras that go with their owner get no event of their own."""
    found = [*_comings(script), *_cameras(script), *_shares(script), *_speakers(script)]
    for at_ms, kind, person, fields in sorted(found, key=lambda event: (event[0], _ORDER.index(event[1]))):
        yield EventFrame(
            medium=Medium.EVENTS,
            due_ms=start_ms + at_ms,
            timestamp_ms=start_ms + at_ms,
            user_id=person.user_id,
            user_name=person.name,
            event_type=kind,
            fields=fields,
        )


_Found = tuple[int, EventType, Person, dict[str, Any]]


def _comings(script: Script) -> Iterator[_Found]:
    for span in script.presences:
        person = script.cast.named(span.user_id)
        yield span.start_ms, _JOIN, person, joined([person])
        yield span.end_ms, _LEAVE, person, listed([person])


def _cameras(script: Script) -> Iterator[_Found]:
    leaving = {span.user_id: span.end_ms for span in script.presences}
    for span in script.cameras:
        person = script.cast.named(span.user_id)
        yield span.start_ms, _VIDEO_ON, person, listed([person])
        if span.end_ms < leaving[span.user_id]:
            yield span.end_ms, _VIDEO_OFF, person, listed([person])


def _shares(script: Script) -> Iterator[_Found]:
    for span in script.shares:
        person = script.cast.named(span.user_id)
        yield span.start_ms, EventType.SHARING_START, person, _named(person)
        yield span.end_ms, EventType.SHARING_STOP, person, {}


def _speakers(script: Script) -> Iterator[_Found]:
    for span in script.speakers:
        person = script.cast.named(span.user_id)
        yield span.start_ms, EventType.ACTIVE_SPEAKER_CHANGE, person, _named(person)
