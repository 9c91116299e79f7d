"""An event loop for many sockets on which small things come all the time: it reads them in turns, as `gathering` says.

Timers, and what other threads ask of it, do not wait for a turn.
"""

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from connectors.host.gathering import Gathering

Result = TypeVar("Result")
Ready = list[tuple[selectors.SelectorKey, int]]


class _Selector(selectors.DefaultSelector):
    """What a loop registers first is the pipe through which other threads wake it: that is listened to all the time."""

    def __init__(self, gathering: Gathering) -> None:
        super().__init__()
        self._gathering = gathering
        self._alarm = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if not self.get_map():
            self._alarm.register(fileobj, events, data)
        return super().register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        if fileobj in self._alarm.get_map():
            self._alarm.unregister(fileobj)
        return super().unregister(fileobj)

    def select(self, timeout: float | None = None) -> Ready:
        wait_s = self._gathering.wait_s(time.monotonic())
        if wait_s:
            has_timer = timeout is not None and timeout <= wait_s
            ready = self._alarm.select(timeout if has_timer else wait_s)
            if ready or has_timer:
                return ready
            timeout = None if timeout is None else timeout - wait_s
        ready = super().select(timeout)
        self._gathering.looked(time.monotonic(), [key.fd for key, _ in ready])
        return ready

    def close(self) -> None:
        self._alarm.close()
        super().close()


def run(main: Coroutine[Any, Any, Result], gather_ms: float) -> Result:
    """`asyncio.run`, with `gather_ms` between two looks at the sockets while there is much to read."""
    if not gather_ms:
        return asyncio.run(main)
    gathering = Gathering(gather_ms / 1000)
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Selector(gathering))) as runner:
        return runner.run(main)
