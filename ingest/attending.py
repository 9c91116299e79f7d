"""A stream from connecting to its end for good: what Zoom stops for a reason that may pass is waited for.

Who starts it again makes Zoom announce it anew, under the same id or another one; another one is another session. That
it stopped Zoom says on the signalling socket or, where that is what has broken, by webhook alone: then the socket just
does not come back, and the session's state knows why.
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

    `on_stopped` is called whenever Zoom says here that it stopped. `left_s` is for how long there is to be waited where
    somebody else heard it, a predecessor of ours or whoever takes Zoom's webhooks; None where nobody did.
    """

    def __init__(
        self,
        session_id: str,
        connect: Connect,
        new_start_s: float,
        on_stopped: Callable[[], None],
        left_s: Callable[[], float | None],
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
        ended = await self._once()
        while ended is not None and (within_s := self._patience_s(ended)) is not None:
            again = await self._once_more(within_s)
            if again is None:
                break
            ended = again
        return ended

    def _patience_s(self, ended: SessionOutcome) -> float | None:
        """How long a new start is to be waited for after this; None: it is over."""
        if ended.cause is EndCause.STOPPED:
            if not ended.retryable:
                return None
            log.info("stopped, a new start is awaited", session_id=self._session_id, code=ended.code)
            self._on_stopped()
            return self._new_start_s
        left_s = None if ended.cause in _OUR_OWN else self._left_s()
        if left_s is not None:
            log.info("a new start is still awaited", session_id=self._session_id, cause=ended.cause, code=ended.code)
        return left_s

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


_OUR_OWN = frozenset({EndCause.CLOSED, EndCause.HANDED_OVER})


def _counts(ended: SessionOutcome) -> bool:
    """Whether Zoom said something about the stream, and not only that it does not run now."""
    return ended.connected_once or ended.cause is EndCause.STOPPED
