"""A reader of a session's transcript or participant events: pages of the log first, then what the feed hands over."""

from collections.abc import AsyncIterator

from api.errors import gone, unavailable
from api.feeds import cursors
from api.feeds.cursors import NEW, Cursor
from api.feeds.events import Event, Reason, closing
from api.feeds.feed import Feed
from api.feeds.feeds import Feeds, deleted_ms
from api.feeds.inbox import Inbox
from api.feeds.news import ALL_DELETED, SESSION_OVER, FeedKey, ended
from api.feeds.readers import Told, retry_ms
from api.feeds.scan import Range, Scan
from connectors.kafka.errors import KafkaError
from connectors.kafka.records import Place
from schemas.deletion import EVERYTHING_MS
from schemas.records import AppSession
from schemas.sessions import TERMINAL

PAGE = 128 * 1024
"""Characters of what was said that are read from the log at a time."""


class LogReader:
    """Reads on after `after`. A session that began before `kept_since_ms` cannot be read from its beginning."""

    wants_partials = False

    def __init__(self, feeds: Feeds, session: AppSession, key: FeedKey, after: Cursor, kept_since_ms: int) -> None:
        self._feeds, self._session, self._key, self._after = feeds, session, key, after
        self._is_kept = session.created_at_ms >= kept_since_ms
        self._inbox: Inbox | None = None
        self._feed: Feed | None = None
        self._page: Scan | None = None
        self._silence: str | None = None

    async def begin(self) -> bool:
        if self._after.is_end:
            return False
        self._inbox = self._feeds.enter(wants_partials=self.wants_partials)
        self._silence = _silence(self._session, deleted_ms(self._session, self._key))
        if self._silence is not None:
            return True
        try:
            await self._check_cursor()
            self._feed = self._feeds.hold(self._key)
            self._page = await self._next_page(self._feed, self._inbox)
        except KafkaError:
            raise unavailable("The log cannot be read now. Try again.") from None
        return True

    async def events(self, keep_alive_s: float) -> Told:
        assert self._inbox is not None
        if self._feed is None:
            yield ended(self._key, max(0, self._after.position), self._silence or SESSION_OVER)
            return
        async for event in self._written(self._feed, self._inbox):
            yield event
            if event.is_end:
                return
        async for told in self._live(self._inbox, keep_alive_s):
            yield told

    def close(self) -> None:
        if self._inbox is None:
            return
        if self._feed is not None:
            self._feed.detach(self._inbox)
            self._feeds.release(self._feed)
        self._feeds.leave(self._inbox)

    async def _written(self, feed: Feed, inbox: Inbox) -> AsyncIterator[Event]:
        page = self._page
        while page is not None:
            for event in page.events:
                self._after = event.at or self._after
                yield event
            try:
                page = await self._next_page(feed, inbox) if page.has_more else None
            except KafkaError:
                inbox.close(Reason.UNAVAILABLE)
                return
            self._page = page  # the one before is no longer held

    async def _live(self, inbox: Inbox, keep_alive_s: float) -> Told:
        while True:
            told = inbox.take()
            if told is not None and self._is_new(told):
                self._after = told.at or self._after
                yield told
                if told.is_end:
                    return
            elif told is None and inbox.closed is not None:
                yield closing(inbox.closed, retry_ms())
                return
            elif told is None and not await inbox.wait(keep_alive_s):
                yield None

    async def _next_page(self, feed: Feed, inbox: Inbox) -> Scan:
        """What was written after the cursor; with the last page, the feed hands over what comes behind it."""
        until = feed.attach(inbox)
        began_ms, deleted = self._session.created_at_ms, self._feeds.deleted_ms(self._key)
        page = await self._feeds.read(feed, Range(self._key, began_ms, until, self._after.position, PAGE, deleted))
        if page.has_more:
            feed.detach(inbox)
        return page

    def _is_new(self, told: Event) -> bool:
        """Another replica may have been ahead of this one: what a reader has from there is not told again, nor what was
        being said before that: nothing is withheld so that takes back something shown on this connection."""
        if told.at is None:
            return told.as_of is None or told.as_of >= self._after.position
        return told.is_end or told.at.position > self._after.position

    async def _check_cursor(self) -> None:
        if self._after.position == NEW:
            if not self._is_kept:
                raise gone("The log no longer has this session. Read its transcript and events as lists.")
            return
        first, end = await self._feeds.replays.bounds(Place(self._key.topic, self._key.partition))
        if self._after.position >= end:
            raise cursors.unknown()
        if self._after.position + 1 < first:
            raise gone("What came after Last-Event-ID is no longer in the log. Read the list instead, and begin anew.")


def _silence(session: AppSession, deleted_ms: int) -> str | None:
    """Why there is nothing to tell and never will be; None: there may be."""
    if deleted_ms >= EVERYTHING_MS:
        return ALL_DELETED
    return SESSION_OVER if session.state in TERMINAL and not session.connected_once else None
