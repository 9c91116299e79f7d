"""A partition, replicas that have each read it so far, and who reads a feed: played, so that every order can be had."""

import asyncio

from api.feeds.cursors import Cursor
from api.feeds.events import Event
from api.feeds.feeds import Feeds
from api.feeds.log_reader import LogReader
from api.feeds.news import Entry, FeedKey, MakeNews
from api.feeds.scan import Scan
from api.live_sessions import LiveSessions
from api.settings import ApiSettings
from api.transcripts.news import TranscriptNews
from connectors.kafka.errors import TimedOut
from schemas.records import AppSession, OutputKind, StreamRequest, Utterance
from schemas.settings import Engine

KEY = FeedKey("transcripts", "app_1", 3, Engine.ZOOM)
SESSION = AppSession(
    session_id="app_1", project_id="p1", state="connected", settings="{}", metadata=None, history=(),
    request=StreamRequest(product="meeting", meeting_id="m", stream_id="s", server_urls=(), zoom_app_id="z"),
    recording_state="in_progress", transcription_state="in_progress", awaiting=(), created_at_ms=1, epoch=1,
    folded_offset=4, connected_once=True,
)  # fmt: skip


def said(number: int, revision: int = 1) -> Utterance:
    return Utterance(session_id="app_1", kind=OutputKind.ITEM, utterance_id=f"utt_{number}", revision=revision,
                     engine="zoom", text=f"{number}/{revision}", start_ms=number)  # fmt: skip


END = Utterance(session_id="app_1", kind=OutputKind.END)


class Log:
    """One partition: what is there, and which offsets are another session's (None)."""

    def __init__(self, make: MakeNews = TranscriptNews) -> None:
        self.make = make
        self.entries: list[Entry | None] = []

    def write(self, value: Utterance | None) -> None:
        entry = Entry(len(self.entries), 1000 + len(self.entries), getattr(value, "utterance_id", ""), value)
        self.entries.append(None if value is None else entry)

    def told(self) -> list[Event]:
        news = self.make(KEY)
        return [event for entry in self.entries if entry and (event := news.take(entry)) is not None]


class Replica:
    """An API process: its feeds, with a tail and scans that do what the test says, when it says."""

    def __init__(self, log: Log, **settings: object) -> None:
        self.log, self.position, self.first, self.is_away = log, len(log.entries), 0, False
        self.waiting: list[tuple[int, object]] = []
        self.sessions = LiveSessions()
        self.sessions.apply("app_1", SESSION)
        self.feeds = Feeds(self, None, self.sessions, ApiSettings(**settings))  # type: ignore[arg-type]
        self.feeds.follow(self)  # type: ignore[arg-type]

    # the tail

    is_ready = True

    def start(self) -> "Replica":
        return self

    def close(self) -> None: ...

    def join(self, place, register) -> int:
        register()
        return self.position

    def when_passed(self, place, offset, passed) -> None:
        self.waiting.append((offset, passed))

    def advance(self, upto: int) -> None:
        for entry in self.log.entries[self.position : upto]:
            if entry is not None and ("transcripts", "app_1") in self.feeds._by_session:
                self.feeds._loop.call_soon_threadsafe(self.feeds._deliver, ("transcripts", "app_1"), entry)
        self.position = max(self.position, upto)
        for offset, passed in [entry for entry in self.waiting if entry[0] <= self.position]:
            self.waiting.remove((offset, passed))
            passed()

    # the scans

    async def bounds(self, place) -> tuple[int, int]:
        if self.is_away:
            raise TimedOut("away")
        return self.first, len(self.log.entries)

    async def scan(self, wanted, *, is_whole: bool) -> Scan:
        if self.is_away:
            raise TimedOut("away")
        scan = Scan(wanted, is_whole, self.log.make(KEY))
        for entry in self.log.entries[: wanted.until]:
            if entry is not None:
                scan.take(entry)
            await asyncio.sleep(0)
            if scan.is_done:
                break
        return scan

    def reader(self, after: Cursor) -> LogReader:
        return LogReader(self.feeds, SESSION, KEY, after, 0)


class Reading:
    """Somebody who reads at a replica, until torn off."""

    def __init__(self, reader: LogReader) -> None:
        self.reader = reader
        self.got: list[Event] = []
        self.more = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        if await self.reader.begin():
            async for event in self.reader.events(60):
                if event is not None:
                    self.got.append(event)
                    self.more.set()

    async def upto(self, count: int) -> None:
        while len(self.got) < count:
            self.more.clear()
            await self.more.wait()

    async def torn_off(self) -> list[Event]:
        self.task.cancel()
        await asyncio.wait([self.task])
        self.reader.close()
        return self.got


async def settle(rounds: int = 300) -> None:
    for _ in range(rounds):
        await asyncio.sleep(0)
