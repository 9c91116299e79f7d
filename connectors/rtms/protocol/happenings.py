"""Messages 6, 8 and 9 into events: what happened in the meeting, to the stream, to an app user's session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.rtms.protocol.codes import (
    CONTACT_CENTER,
    MEDIA_TYPE_OF,
    ContactCenterEventType,
    EventType,
    Medium,
    SessionState,
    StopReason,
    StreamState,
    name_of,
)
from connectors.rtms.protocol.errors import Unusable
from connectors.rtms.protocol.events import (
    EVENT_CLASSES,
    ContactCenterEvent,
    MediaInterrupted,
    SessionStateChanged,
    StreamStateChanged,
    ZoomEvent,
)
from connectors.rtms.protocol.fields import code, first, integer, mapping, mappings, milliseconds, person_name, text
from connectors.rtms.protocol.frames import channel_id_of, user_id_of
from connectors.rtms.protocol.texts import canonical_json

_PEOPLE = (
    EventType.PARTICIPANT_JOIN,
    EventType.PARTICIPANT_LEAVE,
    EventType.PARTICIPANT_VIDEO_ON,
    EventType.PARTICIPANT_VIDEO_OFF,
)
MAX_DETAILS = 16 * 1024 * 1024
"""In characters, of all events of one message together: each repeats what the message says beside its people."""

_COMMON = ("event_type", "event_code", "timestamp", "event_ts", "user_id", "user_name", "participants")
_PERSON = ("participant_info", "paticipant_info")  # older documents spell it so
_MEDIUM_HINTS = ("media_type", "media", "data_type")


@dataclass(frozen=True, slots=True)
class Context:
    """What is needed to read an event besides the event: numbers from 8 up mean something else per product."""

    product: str
    now_zoom_ms: int


def read_event(message: Mapping[str, Any], context: Context) -> list[ZoomEvent]:
    """The events in a decoded message 6, one per participant where it lists several.

    Raises:
        Unusable: there is no event, one about nobody where it must be about somebody, or more than anybody has to say.
    """
    event = mapping(message.get("event"))
    number = code(first(event, "event_type", "event_code"))  # calls have the latter only
    if number is None:
        raise Unusable("no_event_type")
    stamp = milliseconds(first(event, "timestamp", "event_ts")) or context.now_zoom_ms
    if context.product == CONTACT_CENTER and number >= min(ContactCenterEventType):
        return [_contact_center(event, number, stamp)]
    details = canonical_json({name: value for name, value in event.items() if name not in _COMMON})
    if number in _PEOPLE:
        people = _people(event)
        if len(people) * len(details) > MAX_DETAILS:
            raise Unusable("too_many_values")
        return [
            EVENT_CLASSES[number](
                code=number,
                timestamp_ms=stamp,
                user_id=uid,
                user_name=person_name(person.get("user_name")),
                details=details,
            )
            for person, uid in people
        ]
    if number == EventType.MEDIA_CONNECTION_INTERRUPTED:
        return [MediaInterrupted(code=number, timestamp_ms=stamp, details=details, medium=_hinted_medium(event))]
    kind = EVENT_CLASSES.get(number, ZoomEvent)
    return [
        kind(
            code=number,
            timestamp_ms=stamp,
            user_id=user_id_of(event),
            user_name=person_name(event.get("user_name")),
            details=details,
        )
    ]


def _people(event: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], int]]:
    if not isinstance(event.get("participants"), list | dict):
        raise Unusable("no_participants")
    people = mappings(event["participants"])
    return [(person, user_id_of(person)) for person in people if first(person, "user_id") is not None]


def _contact_center(event: Mapping[str, Any], number: int, stamp: int) -> ZoomEvent:
    person = mapping(first(event, *_PERSON))
    rest = {name: value for name, value in event.items() if name not in (*_COMMON, *_PERSON)}
    return ContactCenterEvent(
        code=number,
        timestamp_ms=stamp,
        user_name=person_name(person.get("display_name")),
        channel_id=channel_id_of(person),
        details=canonical_json(rest | {"participant_info": person}),
    )


def _hinted_medium(event: Mapping[str, Any]) -> Medium | None:
    """Which medium's connection broke; Zoom's field for it is not public, so anything that looks like one counts."""
    hint = integer(first(event, *_MEDIUM_HINTS))
    return next((medium for medium, number in MEDIA_TYPE_OF.items() if number == hint), None)


def read_stream_state(message: Mapping[str, Any], context: Context) -> StreamStateChanged:
    """The state in a decoded message 8.

    Raises:
        Unusable: there is none.
    """
    state, reason = _state_and_reason(message)
    details = {"state": name_of(StreamState, state), "reason": name_of(StopReason, reason)}
    stamp = milliseconds(message.get("timestamp")) or context.now_zoom_ms
    return StreamStateChanged(code=state, timestamp_ms=stamp, reason=reason, details=canonical_json(details))


def read_session_state(message: Mapping[str, Any], context: Context) -> SessionStateChanged:
    """The state in a decoded message 9.

    Raises:
        Unusable: there is none.
    """
    state, reason = _state_and_reason(message)
    session_id = text(message.get("rtms_session_id")) or ""
    details = {
        "rtms_session_id": session_id,
        "state": name_of(SessionState, state),
        "reason": name_of(StopReason, reason),
    }
    return SessionStateChanged(
        code=state,
        timestamp_ms=milliseconds(message.get("timestamp")) or context.now_zoom_ms,
        rtms_session_id=session_id,
        reason=reason,
        details=canonical_json(details),
    )


def _state_and_reason(message: Mapping[str, Any]) -> tuple[int, int]:
    state = code(message.get("state"))
    if state is None:
        raise Unusable("no_state")
    return state, code(first(message, "reason", "stop_reason")) or 0
