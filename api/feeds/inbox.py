"""What waits for one reader: bounded, and whoever lets it run full is told so and let go.

Nothing is lost by that: what was not read is in the log, and the reader comes back with the id of what it has.
"""

import asyncio
from collections import deque

from api.feeds.events import Event, Reason


class Inbox:
    """Filled and read in one event loop. It takes one event of any size, then no more than `limit` characters.

    `wants_partials`: also what is still being said.
    """

    def __init__(self, limit: int, *, wants_partials: bool = False) -> None:
        self._limit, self._wants_partials = limit, wants_partials
        self._events: deque[Event] = deque()
        self._size = 0
        self._something = asyncio.Event()
        self.closed: Reason | None = None

    def put(self, event: Event) -> None:
        """Leave an event; too many, and the box is emptied and closed."""
        if self.closed is not None:
            return
        if self._events and self._size + event.size > self._limit:
            self.close(Reason.TOO_SLOW)
            return
        self._events.append(event)
        self._size += event.size
        self._something.set()

    def offer(self, event: Event) -> None:
        """Leave a partial, if it is wanted. It may be missing, so where too much waits already it is; not so one that
        takes back what was shown, for nothing else would."""
        if self._wants_partials and (event.takes_back or self._size + event.size <= self._limit // 2):
            self.put(event)

    def take(self) -> Event | None:
        """The oldest event, if there is any."""
        if not self._events:
            return None
        event = self._events.popleft()
        self._size -= event.size
        return event

    def close(self, reason: Reason) -> None:
        """Nothing more is taken or given; the first reason counts."""
        if self.closed is None:
            self.closed = reason
        self.clear()
        self._something.set()

    def clear(self) -> None:
        """Throw away what is in it."""
        self._events.clear()
        self._size = 0

    def wake(self) -> None:
        """Make who waits look again."""
        self._something.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait until there is something to look at; false when there was nothing in time."""
        try:
            async with asyncio.timeout(timeout_s):  # not wait_for, which may swallow a cancellation before Python 3.12
                await self._something.wait()
        except TimeoutError:
            return False
        self._something.clear()
        return True
