"""What the records of a session amount to, one after the other, for the readers of its feed. Pure.

A feed is a function of the log: fed with a session's records from the first one on, it tells the same at every replica.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from api.feeds.cursors import Cursor
from api.feeds.events import END, Event, event
from api.feeds.told import Told
from schemas.deletion import EVERYTHING_MS
from schemas.records import OutputKind, ParticipantEvent, Record, Utterance
from schemas.settings import Engine

COMPLETE = "complete"
SESSION_OVER = "session_over"
"""Why a feed ends: its processor has said so; or the session is over and it never did."""

ALL_DELETED = "deleted"
"""What the feed would tell was deleted."""

REMOVED = "removed"
DELETED = "deleted"


_END_ITEM = "end"
"""What the key of an end record has in the place of an item, with the id of a side transcript behind it."""


@dataclass(frozen=True, slots=True)
class FeedKey:
    """What a feed is of: a session's records on a topic; of a transcript, those of one engine."""

    topic: str
    session_id: str
    partition: int
    engine: Engine | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record of the session: where it stands, when it was appended, of which item; `value` None is a tombstone."""

    offset: int
    appended_ms: int
    item_id: str
    value: Record | None

    @property
    def is_item(self) -> bool:
        """Whether it is something said or done, and no word about others."""
        return isinstance(self.value, Utterance | ParticipantEvent) and self.value.kind is OutputKind.ITEM


class News(Protocol):
    """Made of a session's records: take all of them, in log order."""

    def take(self, entry: Entry) -> Event | None:
        """What readers are told of a record, if anything."""

    def show(self, entry: Entry) -> Event | None:
        """What readers who are there are told of a record of what is still being said, if anything. Nothing that `take`
        tells depends on it."""


MakeNews = Callable[[FeedKey], News]
"""For a feed that begins."""


def ended(key: FeedKey, position: int, reason: str) -> Event:
    """A feed's last event."""
    return event(END, {"reason": reason}, Cursor(key.partition, position, is_end=True))


def deleted(until_ms: int) -> Event:
    """What was told of what was said up to then is deleted, or all that was told. It stands at no place in the log."""
    return event(DELETED, {"said_until_ms": None if until_ms >= EVERYTHING_MS else until_ms})


def item(key: FeedKey, told: Told, entry: Entry, name: str, document: dict[str, Any]) -> Event | None:
    """An item, unless just that was told before; it has an `id`, and a `revision` if there can be several."""
    news = event(name, document, Cursor(key.partition, entry.offset))
    return news if told.is_news(document["id"], document.get("revision", 0), news.data) else None


def removed(key: FeedKey, told: Told, entry: Entry) -> Event | None:
    """That an item is gone, whether or not it was told: of one that others know, compaction may have left only that."""
    if not entry.item_id or entry.item_id.startswith(_END_ITEM):
        return None
    told.withdraw(entry.item_id)
    return event(REMOVED, {"id": entry.item_id}, Cursor(key.partition, entry.offset))
