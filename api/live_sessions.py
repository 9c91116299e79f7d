"""The newest state of every app session that is on the log, as this replica has read it; archived ones are not."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future

from api.metrics import SESSIONS
from schemas.records import AppSession, Record

Watcher = Callable[[AppSession], None]
"""Called in the view's thread with a session's new state."""


class LiveSessions:
    """Written by the view's thread, read by handlers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, AppSession] = {}
        self._by_project: dict[str, dict[str, AppSession]] = {}
        self._waiting: dict[str, list[tuple[int, Future[AppSession]]]] = {}
        self._watchers: dict[str, list[Watcher]] = {}

    def apply(self, session_id: str, state: Record | None) -> None:
        """Take a record of `app-sessions`."""
        with self._lock:
            known = self._by_id.get(session_id)
            if known is not None:
                self._by_project[known.project_id].pop(session_id, None)
            if isinstance(state, AppSession):
                self._by_id[session_id] = state  # in place: whoever looks without the lock sees the one or the other
            else:
                self._by_id.pop(session_id, None)
            SESSIONS.set(len(self._by_id))
            if not isinstance(state, AppSession):
                return
            self._by_project.setdefault(state.project_id, {})[session_id] = state
            done = self._settled(session_id, state)
            watchers = list(self._watchers.get(session_id, ()))
        for watcher in watchers:
            watcher(state)
        for future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(state)

    def get(self, project_id: str, session_id: str) -> AppSession | None:
        """A session of a project; somebody else's is as good as none."""
        state = self._by_id.get(session_id)
        return state if state is not None and state.project_id == project_id else None

    def find(self, session_id: str) -> AppSession | None:
        """A session of whatever project, for those who hold a link to it."""
        return self._by_id.get(session_id)

    def of_project(self, project_id: str) -> list[AppSession]:
        """All sessions of a project, in no order."""
        with self._lock:
            return list(self._by_project.get(project_id, {}).values())

    async def folded(self, session_id: str, offset: int, timeout_s: float) -> AppSession | None:
        """The session once the fact at `offset` is folded into it; None when that was not in time."""
        future = self._when_folded(session_id, offset)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            self._forget(session_id, future)
            return None

    def watch(self, session_id: str, watcher: Watcher) -> None:
        """Call `watcher` whenever the session changes, until `unwatch`."""
        with self._lock:
            self._watchers.setdefault(session_id, []).append(watcher)

    def unwatch(self, session_id: str, watcher: Watcher) -> None:
        """Call it no more, or one time less if it was given more than once; it may be called once after this."""
        with self._lock:
            watchers = self._watchers.get(session_id, [])
            if watcher in watchers:
                watchers.remove(watcher)
            if not watchers:
                self._watchers.pop(session_id, None)

    def _when_folded(self, session_id: str, offset: int) -> "Future[AppSession]":
        future: Future[AppSession] = Future()
        with self._lock:
            state = self._by_id.get(session_id)
            if state is not None and state.folded_offset >= offset:
                future.set_result(state)
            else:
                self._waiting.setdefault(session_id, []).append((offset, future))
        return future

    def _settled(self, session_id: str, state: AppSession) -> "list[Future[AppSession]]":
        waiting = self._waiting.pop(session_id, [])
        left = [entry for entry in waiting if entry[0] > state.folded_offset]
        if left:
            self._waiting[session_id] = left
        return [future for offset, future in waiting if offset <= state.folded_offset]

    def _forget(self, session_id: str, future: "Future[AppSession]") -> None:
        with self._lock:
            left = [entry for entry in self._waiting.pop(session_id, []) if entry[1] is not future]
            if left:
                self._waiting[session_id] = left
