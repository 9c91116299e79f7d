"""One feed at this replica, told to any number of readers. It decides and does not wait: `opening` is its openers'.

How a reader gets everything once: `attach` names the offset up to which it has to read the log by itself; from there on
everything comes to its inbox. The feed's own knowledge of what was told begins with the first reader's scan (`open`);
what the tail hands over meanwhile waits.
"""

import asyncio
from dataclasses import replace

from api.feeds.events import Event, Reason
from api.feeds.inbox import Inbox
from api.feeds.news import ALL_DELETED, SESSION_OVER, Entry, FeedKey, News, deleted, ended
from api.feeds.scan import is_deleted
from schemas.deletion import EVERYTHING_MS, NOTHING_MS


class Feed:
    """`next` is the offset after the last record that was told; at first, from where on the tail hands over.

    What was said up to `deleted_ms` is deleted, and who comes is told nothing of it.
    """

    def __init__(self, key: FeedKey, begins_at: int, deleted_ms: int = NOTHING_MS) -> None:
        self.key = key
        self.next = begins_at
        self._deleted_ms = deleted_ms
        self._news: News | None = None
        self._early: list[tuple[Entry, int]] = []
        self._inboxes: set[Inbox] = set()
        self.opening = asyncio.Lock()
        self._over: str | None = None
        self._end: Event | None = None

    @property
    def is_open(self) -> bool:
        """Whether it knows what has been told before `next`."""
        return self._news is not None

    @property
    def is_ended(self) -> bool:
        """Whether nothing follows."""
        return self._end is not None

    def open(self, news: News, end: Event | None) -> None:
        """Go on from `news`, which have taken every record before `next`; `end` is the last event, if it was there."""
        self._news, self._end = news, end
        early, self._early = self._early, []
        for entry, deleted_ms in early:
            self.take(entry, deleted_ms)
        if self._over is not None:
            self.finish(self._over)

    def take(self, entry: Entry, deleted_ms: int) -> None:
        """A record of the session, in log order; what stands before `next` is known from elsewhere."""
        if entry.offset < self.next:
            return
        if self._news is None:
            self._early.append((entry, deleted_ms))
            return
        self.next = entry.offset + 1
        told = None if self.is_ended or is_deleted(entry, deleted_ms) else self._news.take(entry)
        if told is not None:
            self._tell(told)

    def show(self, entry: Entry, deleted_ms: int) -> None:
        """Something that is still being said: told to those who are there and want it, to nobody who comes later."""
        if self._news is None or self.is_ended or is_deleted(entry, deleted_ms):
            return
        told = self._news.show(entry)
        if told is not None:
            for inbox in self._inboxes:
                inbox.offer(replace(told, as_of=self.next - 1))

    def finish(self, reason: str = SESSION_OVER) -> None:
        """Nothing follows: the session is over, and everything that the log has of it was taken, or it is deleted."""
        self._over = self._over or reason
        if self.is_open and not self.is_ended:
            self._tell(ended(self.key, max(0, self.next - 1), self._over))

    def delete(self, deleted_ms: int) -> None:
        """What was said up to then is deleted: readers are told, and where that is all there can be, it is the end."""
        if deleted_ms <= self._deleted_ms:
            return
        self._deleted_ms = deleted_ms
        if not self.is_ended:
            self._tell(deleted(deleted_ms))
        if deleted_ms >= EVERYTHING_MS:
            self.finish(ALL_DELETED)

    def attach(self, inbox: Inbox) -> int:
        """From now on the inbox gets what is told; what stands before the offset returned, its reader has to scan."""
        self._inboxes.add(inbox)
        if self._end is not None:
            inbox.put(self._end)
        return self.next

    def detach(self, inbox: Inbox) -> None:
        """The inbox gets nothing more, and what is in it will be read from the log."""
        self._inboxes.discard(inbox)
        inbox.clear()

    def close(self, reason: Reason) -> None:
        """All who read have to come back."""
        for inbox in self._inboxes:
            inbox.close(reason)

    def _tell(self, event: Event) -> None:
        if event.is_end:
            self._end = event
        for inbox in self._inboxes:
            inbox.put(event)
