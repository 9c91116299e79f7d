"""Chat messages, as participant events tell of them. Pure.

A record never changes, a message may: each change, and its deletion, is a record of its own. Its event id names the
message and a revision; of a message the record with the highest one holds, and the message is as old as the oldest.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

EVERYONE = "everyone"
PRIVATE = "only_bot"
"""For everybody in the meeting, or not: the App Session API knows no third."""

SEPARATOR = "."

DELETED = "is_deleted"
"""Stands in a record's additional details, with nothing else, once its message was deleted in the meeting."""


class Revised(NamedTuple):
    """A message and a state of it; revisions grow, not always by one."""

    message_id: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDetails:
    """The `details` of a record. `to` is EVERYONE or PRIVATE.

    `additional` is whatever else is known, as clients see it: `message_id`, `chat_session`, `receiver`, `files` by
    Zoom's names, `parent_id` (our id of the message that it replies to), `length` of a text that was cut.
    """

    text: str = field(default="", repr=False)
    to: str = EVERYONE
    additional: dict[str, Any] = field(default_factory=dict, repr=False)


_details = msgspec.json.Decoder(ChatDetails)


def event_id(revised: Revised) -> str:
    """The id of the record that tells of it."""
    return f"{revised.message_id}{SEPARATOR}{revised.revision}"


def revised(event: str) -> Revised:
    """What a record with this event id is about."""
    message, _, number = event.partition(SEPARATOR)
    return Revised(message, int(number) if number.isdecimal() else 0)


def dumps(details: ChatDetails) -> str:
    """JSON; equal details are equal texts."""
    return msgspec.json.encode(details, order="deterministic").decode()


def emptied(to: str) -> ChatDetails:
    """What is left of a message that was deleted in the meeting."""
    return ChatDetails(to=to, additional={DELETED: True})


def is_emptied(details: ChatDetails) -> bool:
    """Whether the words are gone, because the message was deleted in the meeting."""
    return bool(details.additional.get(DELETED))


def readable(text: str) -> ChatDetails:
    """The details in `text`; those of an empty message where it holds none, for those who must go on."""
    try:
        return _details.decode(text)
    except (ValueError, RecursionError):
        return ChatDetails()
