"""Turns SIGTERM and SIGINT into one thing that threads and coroutines alike can look at or wait for."""

import asyncio
import contextlib
import os
import signal
import threading
from types import FrameType

from connectors.host.logs import get_logger

log = get_logger(__name__)

_ENDING = (signal.SIGTERM, signal.SIGINT)


class StopSignal:
    """Set once, never cleared. Further signals change nothing: a supervisor and a terminal often send both."""

    def __init__(self) -> None:
        self._flag = False
        self._event = threading.Event()
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()

    def install(self) -> "StopSignal":
        """Take over SIGTERM and SIGINT; from the main thread only."""
        told, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, self._on_signal)
        threading.Thread(target=self._listen, args=(told,), name="signals", daemon=True).start()
        return self

    def uninstall(self) -> None:
        """Nothing is left to be stopped. The interpreter gives handlers up before it has ended: a signal that came
        then would be how the process ended, whatever status it leaves with."""
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Not the one to tell others: Python calls it when the main thread runs Python code, and not before.

        A signal that comes when that is about to wait in the kernel, or that another thread is given, would end
        nothing until the wait is over, which with nothing else to do is never. What is written into the pipe is
        written at once, in whichever thread.
        """
        self._flag = True

    def _listen(self, told: int) -> None:
        while (number := os.read(told, 1)[0]) not in _ENDING or signal.getsignal(number) != self._on_signal:
            pass  # of a signal that is somebody else's
        log.info("stopping", signal=signal.Signals(number).name)
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
