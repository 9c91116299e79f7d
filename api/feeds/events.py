"""What a feed's reader is told, and how it looks as a server-sent event and as a WebSocket message. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fastapi.sse import format_sse_event

from api.feeds.cursors import Cursor

END = "end"
"""The feed is complete: nothing follows, and there is no need to come back."""

CLOSING = "closing"
"""This connection is over, the feed is not: come back with the id of the last event."""

KEEP_ALIVE = format_sse_event(comment="")


class Reason(StrEnum):
    """Why a connection is over before its feed is."""

    RESTARTING = "restarting"
    TOO_SLOW = "too_slow"
    KEY_INVALID = "key_invalid"
    POSITION_LOST = "position_lost"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Event:
    """`data` is JSON, `at` where the event stands in its feed. What is said of a connection stands nowhere, nor does
    what only those hear who are there: of that, `as_of` is the last position that was told before it, and `takes_back`
    says that it takes back what was shown before.
    """

    name: str
    data: str
    at: Cursor | None = None
    retry_ms: int | None = None
    as_of: int | None = None
    takes_back: bool = False

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return self.name == END

    @property
    def size(self) -> int:
        """How much of a reader's queue it takes, in characters."""
        return len(self.data)


def event(name: str, document: Mapping[str, Any], at: Cursor | None = None, retry_ms: int | None = None) -> Event:
    """An event that says `document`."""
    return Event(name, json.dumps(document, ensure_ascii=False, separators=(",", ":")), at, retry_ms)


def closing(reason: Reason, retry_ms: int) -> Event:
    """The last event of a connection that ends before its feed does; `retry_ms`: when to come back."""
    return event(CLOSING, {"reason": reason}, retry_ms=retry_ms)


def as_sse(told: Event) -> bytes:
    """The event as it stands in a `text/event-stream`."""
    at = None if told.at is None else str(told.at)
    return format_sse_event(event=told.name, data_str=told.data, id=at, retry=told.retry_ms)


def as_message(told: Event) -> str:
    """The event as a WebSocket message: `{"event": …, "id": …, "data": …}`, `id` null where there is none."""
    at = "null" if told.at is None else f'"{told.at}"'
    return f'{{"event":"{told.name}","id":{at},"data":{told.data}}}'
