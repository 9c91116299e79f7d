"""Turns SIGTERM and SIGINT into one thing that threads and coroutines alike can look at or wait for."""

import asyncio
import contextlib
import signal
import threading
from types import FrameType

from connectors.host.logs import get_logger

log = get_logger(__name__)


class StopSignal:
    """Set once, never cleared. Further signals change nothing: a supervisor and a terminal often send both."""

    def __init__(self) -> None:
        self._flag = False
        self._event = threading.Event()
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()

    def install(self) -> "StopSignal":
        """Take over SIGTERM and SIGINT; from the main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._flag:
            return
        self._flag = True
        # A handler interrupts the main thread anywhere, also while it holds the very lock that set() takes.
        threading.Thread(target=self._announce, args=(signal.Signals(number).name,), daemon=True).start()

    def _announce(self, name: str) -> None:
        log.info("stopping", signal=name)
        self.set()

    def set(self) -> None:
        """Stop, as if a signal had come."""
        self._flag = True
        self._event.set()
        with self._lock:
            waiters = list(self._waiters)
        for loop, event in waiters:
            with contextlib.suppress(RuntimeError):  # that loop has ended, and its waiter with it
                loop.call_soon_threadsafe(event.set)

    def is_set(self) -> bool:
        """Whether it is time to stop."""
        return self._flag

    def wait_thread(self, timeout_s: float | None = None) -> bool:
        """Block this thread until the stop or the time-out; true when stopped."""
        return self._event.wait(timeout_s)

    async def wait(self) -> None:
        """Wait in a coroutine."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiters.add(entry)
        try:
            if not self._event.is_set():
                await entry[1].wait()
        finally:
            with self._lock:
                self._waiters.discard(entry)
