"""A reader of a session's states: whatever it missed is in the state itself."""

from collections.abc import Awaitable, Callable

from api.feeds import cursors
from api.feeds.cursors import Cursor
from api.feeds.events import closing
from api.feeds.feeds import Feeds
from api.feeds.inbox import Inbox
from api.feeds.readers import Told, retry_ms
from api.live_sessions import LiveSessions, Watcher
from api.states import changes
from schemas.records import AppSession

CatchUp = Callable[[], Awaitable[None]]
"""Know everything of the sessions that there was when this was called. Raises ApiError 503."""


class StateReader:
    """Reads on after `after`."""

    def __init__(
        self, feeds: Feeds, sessions: LiveSessions, session: AppSession, after: Cursor, catch_up: CatchUp
    ) -> None:
        self._feeds, self._sessions, self._session, self._after = feeds, sessions, session, after
        self._catch_up = catch_up
        self._inbox: Inbox | None = None
        self._watcher: Watcher | None = None

    async def begin(self) -> bool:
        if changes.is_ahead(self._newest(), self._after):
            await self._catch_up()  # another replica may know more than this one did
            if changes.is_ahead(self._newest(), self._after):
                raise cursors.unknown()
        if changes.is_over(self._newest(), self._after):
            return False
        self._inbox = self._feeds.enter()
        self._watcher = self._feeds.waking(self._inbox)
        self._sessions.watch(self._session.session_id, self._watcher)
        return True

    async def events(self, keep_alive_s: float) -> Told:
        assert self._inbox is not None
        while True:
            for event in changes.news(self._newest(), self._after):
                self._after = event.at or self._after
                yield event
                if event.is_end:
                    return
            if self._inbox.closed is not None:
                yield closing(self._inbox.closed, retry_ms())
                return
            if not await self._inbox.wait(keep_alive_s):
                yield None

    def close(self) -> None:
        if self._inbox is not None and self._watcher is not None:
            self._sessions.unwatch(self._session.session_id, self._watcher)
            self._feeds.leave(self._inbox)

    def _newest(self) -> AppSession:
        return self._sessions.find(self._session.session_id) or self._session
