"""What a reader gets of what has been written already: a page of a feed, made of the log. Pure.

The news of a session's records depend on those before them, so a scan always begins with the session's first record;
what it keeps begins after the reader's cursor and is never more than a page.
"""

from dataclasses import dataclass, field

from api.feeds.events import Event
from api.feeds.news import Entry, FeedKey, News
from schemas.deletion import EVERYTHING_MS, NOTHING_MS, is_said


@dataclass(frozen=True, slots=True)
class Range:
    """What to read: the session's records from `since_ms` on, those of them up to `until` (exclusive) that stand after
    `after`, without what was said up to `deleted_ms`; events of about `page` characters.
    """

    key: FeedKey
    since_ms: int
    until: int
    after: int
    page: int
    deleted_ms: int = NOTHING_MS


@dataclass(slots=True)
class Scan:
    """A range while it is read: `events` is the page, `has_more` says that the range has more than fits on it.

    `is_whole`: read on when the page is full, because `news` is wanted as it is at the end of the range.
    """

    range: Range
    is_whole: bool
    news: News
    events: list[Event] = field(default_factory=list)
    has_more: bool = False
    end: Event | None = None
    _size: int = 0

    @property
    def is_done(self) -> bool:
        """Whether what follows would change nothing."""
        return self.end is not None or (self.has_more and not self.is_whole)

    def take(self, entry: Entry) -> None:
        """The session's next record."""
        if self.is_done or entry.offset >= self.range.until or is_deleted(entry, self.range.deleted_ms):
            return
        event = self.news.take(entry)
        if event is None:
            return
        if event.is_end:
            self.end = event
        if event.is_end or entry.offset > self.range.after:
            self._keep(event)

    def _keep(self, event: Event) -> None:
        self.has_more = self.has_more or (bool(self.events) and self._size + event.size > self.range.page)
        if not self.has_more:
            self.events.append(event)
            self._size += event.size


def is_deleted(entry: Entry, deleted_ms: int) -> bool:
    """Whether what a record says is deleted: what was said up to `deleted_ms` is, all else when everything is."""
    if entry.value is None or not entry.is_item:
        return False
    return deleted_ms >= EVERYTHING_MS or is_said(entry.value, deleted_ms)
