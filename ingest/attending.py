"""A stream from connecting to its end for good: what Zoom stops for a reason that may pass is waited for.

Who starts it again makes Zoom announce it anew, under the same id or another one; another one is another session.
"""

import asyncio
from collections.abc import Awaitable, Callable

from connectors.host.logs import get_logger
from connectors.rtms.protocol.events import EndCause
from connectors.rtms.session import RtmsSession, SessionOutcome

log = get_logger(__name__)

Connect = Callable[[], Awaitable[RtmsSession]]
"""Makes the session of now; it is not running yet."""


class Attending:
    """`session` is the one that runs; `running` is its task or, when none runs, that of the last one.

    `on_stopped` is called whenever a wait begins. `left_s`: somebody else waited already when we took over, and for so
    long there is to be waited still.
    """

    def __init__(
        self,
        session_id: str,
        connect: Connect,
        new_start_s: float,
        on_stopped: Callable[[], None],
        left_s: float | None = None,
    ) -> None:
        self.session: RtmsSession | None = None
        self.running: asyncio.Task[SessionOutcome] | None = None
        self._session_id, self._connect, self._new_start_s = session_id, connect, new_start_s
        self._on_stopped, self._left_s = on_stopped, left_s
        self._announced = asyncio.Event()
        self._begins_anew = False
        self._is_left = False

    async def run(self) -> SessionOutcome | None:
        """How it ended for good; None when it was left before it was connected to."""
        ended = await self._first()
        while ended is not None and ended.retryable and ended.cause is EndCause.STOPPED:
            log.info("stopped, a new start is awaited", session_id=self._session_id, code=ended.code)
            self._on_stopped()
            again = await self._once_more(self._new_start_s)
            if again is None:
                break
            ended = again
        return ended

    async def _first(self) -> SessionOutcome | None:
        """It may have begun anew while nobody held it; if it has not, what is left of the wait is ours."""
        began_s = asyncio.get_running_loop().time()
        ended = await self._once()
        if self._left_s is None or ended is None or _counts(ended):
            return ended
        log.info("a new start is still awaited", session_id=self._session_id, code=ended.code)
        left_s = self._left_s - (asyncio.get_running_loop().time() - began_s)
        return await self._once_more(left_s) or ended

    def announced(self) -> None:
        """Somebody has announced the stream, perhaps not for the first time."""
        self._announced.set()

    def connected(self) -> bool:
        """Media flow; whether they do for the first time since a new start."""
        self._announced.clear()
        begins_anew, self._begins_anew = self._begins_anew, False
        return begins_anew

    def leave(self) -> None:
        """Connect no more."""
        self._is_left = True
        self._announced.set()  # whoever waits for it need not any more

    async def _once(self) -> SessionOutcome | None:
        session = await self._connect()
        if self._is_left:
            return None
        self.session, self.running = session, asyncio.create_task(session.run())
        try:
            return await self.running
        finally:
            self.session = None

    async def _once_more(self, within_s: float) -> SessionOutcome | None:
        """None when it did not begin anew in time.

        An announcement may be a late copy of an earlier one: Zoom then refuses, and the next one may be the right one.
        """
        until_s = asyncio.get_running_loop().time() + within_s
        while await self._is_announced(until_s):
            self._begins_anew = True
            ended = await self._once()
            if ended is None or _counts(ended):
                return ended
        return None

    async def _is_announced(self, until_s: float) -> bool:
        try:
            async with asyncio.timeout_at(until_s):
                await self._announced.wait()
        except TimeoutError:
            return False
        self._announced.clear()
        return not self._is_left


def _counts(ended: SessionOutcome) -> bool:
    """Whether Zoom said something about the stream, and not only that it does not run now."""
    return ended.connected_once or ended.cause is EndCause.STOPPED
