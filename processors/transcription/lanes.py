"""Utterances of one speaker are recognised at the same time and written one after the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager


class Lanes:
    """Whoever enters a lane has a turn when all who entered it before have left."""

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Event] = {}

    @asynccontextmanager
    async def entered(self, lane: Hashable) -> AsyncIterator[Callable[[], Awaitable[object]]]:
        """A place in the lane; what it gives waits for the turn."""
        before, own = self._last.get(lane), asyncio.Event()
        self._last[lane] = own
        turn = before.wait if before is not None else _at_once
        try:
            yield turn
        except Exception:
            await turn()  # who comes next waits for this one alone
            raise
        finally:
            own.set()
            if self._last.get(lane) is own:  # whoever came last may have left first, cancelled
                del self._last[lane]


async def _at_once() -> None:
    return
