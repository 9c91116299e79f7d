"""All feeds of this process, and who reads them: one consumer of the topics, whatever the number of readers.

The tail hands over the records of sessions that somebody reads; here, in the event loop, they become events, once for
all readers of a feed.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from api.errors import unavailable
from api.feeds.events import Reason
from api.feeds.feed import Feed
from api.feeds.inbox import Inbox
from api.feeds.metrics import LET_GO, READERS
from api.feeds.news import Entry, FeedKey
from api.feeds.reading import entry_of
from api.feeds.replays import Replays
from api.feeds.scan import Range, Scan
from api.live_sessions import LiveSessions, Watcher
from api.settings import ApiSettings
from connectors.kafka.decoder import Decoder
from connectors.kafka.errors import KafkaError
from connectors.kafka.records import Place, Record
from connectors.kafka.tail import Hearer, Tail
from schemas.deletion import EVERYTHING_MS, NOTHING_MS, said_until_ms
from schemas.keys import session_of
from schemas.records import AppSession
from schemas.records import Record as Value
from schemas.sessions import TERMINAL
from schemas.topics import SESSION_CHANGES, TRANSCRIPT_PARTIALS, TRANSCRIPTS, Topic

RETRY_S = 1.0

SHOWN = {TRANSCRIPT_PARTIALS.name: TRANSCRIPTS.name}
"""What is still being said, by topic: to whose feeds it is shown."""


@dataclass(slots=True, eq=False)
class _Held:
    """A feed and how many readers it has."""

    feed: Feed
    readers: int = 0


class Feeds(Hearer):
    """Of the topics of the tail that it is to `follow`, in the event loop that its readers run in.

    `part` when the process is to stop, then `close`.
    """

    def __init__(self, replays: Replays, decoder: Decoder, sessions: LiveSessions, settings: ApiSettings) -> None:
        self.replays = replays
        self._decoder, self._sessions, self._settings = decoder, sessions, settings
        self._tail: Tail | None = None
        self._loop = asyncio.get_running_loop()
        self._held: dict[FeedKey, _Held] = {}
        self._by_session: dict[tuple[str, str], list[Feed]] = {}
        self._inboxes: set[Inbox] = set()
        self._finishing: set[asyncio.Task[None]] = set()
        self._stopping = threading.Event()
        self._is_parting = False

    def follow(self, tail: Tail) -> None:
        """Begin to hear of what is written."""
        self._tail = tail.start()

    @property
    def is_ready(self) -> bool:
        """Whether readers can be taken."""
        return self._tail is not None and self._tail.is_ready

    def part(self) -> None:
        """Ask all readers to come back, to another replica; nobody is taken any more."""
        self._is_parting = True
        for inbox in self._inboxes:
            inbox.close(Reason.RESTARTING)

    def close(self) -> None:
        """Stop reading."""
        self.part()
        self._stopping.set()
        for task in self._finishing:
            task.cancel()
        if self._tail is not None:
            self._tail.close()
        self.replays.close()

    def enter(self, *, wants_partials: bool = False) -> Inbox:
        """A place for one more reader; `leave` it. Raises ApiError 503."""
        if self._is_parting or len(self._inboxes) >= self._settings.feed_readers:
            raise unavailable("This process takes no more readers now. Try again.")
        inbox = Inbox(self._settings.feed_queue_characters, wants_partials=wants_partials)
        self._inboxes.add(inbox)
        READERS.set(len(self._inboxes))
        return inbox

    def leave(self, inbox: Inbox) -> None:
        """The reader is gone."""
        self._inboxes.discard(inbox)
        READERS.set(len(self._inboxes))
        if inbox.closed is not None:
            LET_GO.labels(inbox.closed).inc()

    def waking(self, inbox: Inbox) -> Watcher:
        """Makes the inbox's reader look again, from whatever thread a session changes in."""
        return lambda _session: self._in_loop(inbox.wake)

    def hold(self, key: FeedKey) -> Feed:
        """The feed, kept up until it is released as often as it was held. Raises ApiError 503."""
        held = self._held.get(key) or self._begun(key)
        held.readers += 1
        return held.feed

    def release(self, feed: Feed) -> None:
        """One reader less."""
        held = self._held.get(feed.key)
        if held is None or held.feed is not feed:
            return  # it was forgotten before
        held.readers -= 1
        if not held.readers:
            self._forget(feed)

    def deleted_ms(self, key: FeedKey) -> int:
        """What was said up to then is not told, as far as is known by now."""
        return deleted_ms(self._sessions.find(key.session_id), key)

    async def read(self, feed: Feed, wanted: Range) -> Scan:
        """A page of the feed from the log. The first one read also opens the feed. Raises KafkaError."""
        if not feed.is_open:
            async with feed.opening:
                if not feed.is_open:
                    found = await self.replays.scan(replace(wanted, until=feed.next), is_whole=True)
                    feed.open(found.news, found.end)
                    return found
        return await self.replays.scan(wanted, is_whole=False)

    def _begun(self, key: FeedKey) -> _Held:
        feeds: list[Feed] = []
        name = (key.topic, key.session_id)

        def register() -> None:
            nonlocal feeds
            feeds = self._by_session.setdefault(name, feeds)

        begins_at = None if self._tail is None else self._tail.join(_place(key), register)
        if begins_at is None:
            if not feeds:
                self._by_session.pop(name, None)
            raise unavailable("The log cannot be read now. Try again.")
        held = self._held[key] = _Held(Feed(key, begins_at, self.deleted_ms(key)))
        feeds.append(held.feed)
        self._sessions.watch(key.session_id, self._on_change)
        session = self._sessions.find(key.session_id)
        if session is None or session.state in TERMINAL:  # none: it was archived since it was asked for
            self._finish(key.session_id)
        return held

    def _forget(self, feed: Feed) -> None:
        """Whoever comes next begins anew."""
        del self._held[feed.key]
        self._sessions.unwatch(feed.key.session_id, self._on_change)
        name = (feed.key.topic, feed.key.session_id)
        self._by_session[name].remove(feed)
        if not self._by_session[name]:
            del self._by_session[name]

    # From other threads.

    def wants(self, record: Record) -> bool:
        return (SHOWN.get(record.topic, record.topic), session_of(record.key)) in self._by_session

    def take(self, record: Record) -> None:
        entry = entry_of(record, self._decode)
        session_id = session_of(record.key) or ""
        if entry is not None and record.topic in SHOWN:
            self._in_loop(self._show, (SHOWN[record.topic], session_id), entry)
        elif entry is not None:
            self._in_loop(self._deliver, (record.topic, session_id), entry)

    def lost(self, place: Place) -> None:
        self._in_loop(self._close_feeds, place)

    def _decode(self, topic: Topic, data: bytes) -> Value | None:
        return self._decoder.decode_patiently(topic, data, self._stopping.wait)

    def _on_change(self, session: AppSession) -> None:
        if said_until_ms(session) > NOTHING_MS:
            self._in_loop(self._delete, session)
        if session.state in TERMINAL:
            self._in_loop(self._finish, session.session_id)

    def _in_loop(self, call: Callable[..., None], *arguments: object) -> None:
        if not self._stopping.is_set():
            self._loop.call_soon_threadsafe(call, *arguments)

    # In the loop.

    def _deliver(self, name: tuple[str, str], entry: Entry) -> None:
        for feed in self._by_session.get(name, ()):
            feed.take(entry, self.deleted_ms(feed.key))

    def _show(self, name: tuple[str, str], entry: Entry) -> None:
        for feed in self._by_session.get(name, ()):
            feed.show(entry, self.deleted_ms(feed.key))

    def _delete(self, session: AppSession) -> None:
        for key, held in self._held.items():
            if key.session_id == session.session_id:
                held.feed.delete(deleted_ms(session, key))

    def _close_feeds(self, place: Place) -> None:
        for key, held in list(self._held.items()):
            if _place(key) == place:
                held.feed.close(Reason.POSITION_LOST)
                self._forget(held.feed)

    def _finish(self, session_id: str) -> None:
        """The session is over: when the log has been read to where it ends now, nothing follows."""
        task = asyncio.create_task(self._finished([key for key in self._held if key.session_id == session_id]))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _finished(self, keys: Iterable[FeedKey]) -> None:
        for key in keys:
            await self._passed(_place(key))
            if key in self._held:
                self._held[key].feed.finish()

    async def _passed(self, place: Place) -> None:
        """Wait until everything was delivered that stands in the partition now."""
        passed = asyncio.Event()
        while True:
            try:
                _, end = await self.replays.bounds(place)
                break
            except KafkaError:
                await asyncio.sleep(RETRY_S)
        assert self._tail is not None
        self._tail.when_passed(place, end, lambda: self._in_loop(passed.set))
        await passed.wait()


def deleted_ms(session: AppSession | None, key: FeedKey) -> int:
    """What was said up to then is not told; of what is no transcript, all or nothing."""
    if session is None or key.topic == SESSION_CHANGES.name:
        return NOTHING_MS
    if key.topic == TRANSCRIPTS.name:
        return said_until_ms(session)
    return NOTHING_MS if session.deletion is None else EVERYTHING_MS


def _place(key: FeedKey) -> Place:
    return Place(key.topic, key.partition)
