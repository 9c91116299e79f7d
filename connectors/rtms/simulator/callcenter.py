"""Messages as Contact Center sends them: channels instead of participants, and its own events from number 8 up. Pure.

The first person of a meeting is the consumer who called, everybody else an agent.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.rtms.protocol.codes import ContactCenterEventType, EventType, MessageType
from connectors.rtms.simulator.people import Cast, Person


def channel_of(user_id: int) -> str:
    """The channel of a participant."""
    return f"channel-{user_id:08x}"


def with_channels(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message 14 or 17 that names the channel in place of the user; Zoom's own SDK drops audio without a name."""
    content = {name: value for name, value in message["content"].items() if name != "user_id"}
    return {**message, "content": {"channel_id": channel_of(message["content"]["user_id"]), **content}}


def event_message(number: int, fields: Mapping[str, Any]) -> bytes:
    """Message 6; its time is in `event_ts`, not in `timestamp`."""
    event = {"event_type": int(number), **fields}
    return msgspec.json.encode({"msg_type": int(MessageType.EVENT_UPDATE), "event": event})


_NUMBERS = {
    (EventType.PARTICIPANT_JOIN, True): ContactCenterEventType.CONSUMER_ANSWERED,
    (EventType.PARTICIPANT_LEAVE, True): ContactCenterEventType.CONSUMER_END,
    (EventType.PARTICIPANT_JOIN, False): ContactCenterEventType.USER_ANSWERED,
    (EventType.PARTICIPANT_LEAVE, False): ContactCenterEventType.USER_END,
}


def translated(kind: EventType, person: Person, cast: Cast, at_ms: int) -> tuple[int, dict[str, Any]] | None:
    """The number and fields of what a join or leave is there; None for what a call does not have."""
    is_consumer = person is cast.people[0]
    number = _NUMBERS.get((kind, is_consumer))
    if number is None:
        return None
    info = {
        "channel_id": channel_of(person.user_id),
        "participant_mode": "caller" if is_consumer else "callee",
        "queue_id": "simulated-queue",
        "queue_name": "Simulated queue",
        "account_id": "simulated-account",
        "user_id": f"contact-{person.user_id}" if is_consumer else f"agent-{person.user_id}",
        "display_name": person.name,
    }
    return number, {"event_ts": at_ms, "participant_info": info}
