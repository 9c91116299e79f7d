"""Ends a process whose working loop does not get round any more, whether or not a supervisor asks its probes.

A call into a library may never return, whatever time-out it was given: seen with librdkafka 2.16, whose
`send_offsets_to_transaction` waited for ever for an answer that its own threads had lost sight of. Nothing else in the
process can end such a call, and everything that the process holds is known to its successor.
"""

import os
import sys
import threading
import traceback

from connectors.host.health import Health
from connectors.host.logs import get_logger
from connectors.host.signals import StopSignal

log = get_logger(__name__)

LOOKS = 30
"""How often it is looked while a loop that is not alive any more may still get round."""

FRAMES_TOLD = 6


class Standstill:
    """Counts looks, not time: a process that was stopped, or a machine that slept, has not looked meanwhile. Pure."""

    def __init__(self) -> None:
        self._stood = 0

    def look(self, is_alive: bool) -> bool:
        """Whether the loop has not been alive at any of the last `LOOKS` looks."""
        self._stood = 0 if is_alive else self._stood + 1
        return self._stood >= LOOKS


class Watch:
    """Ends the process, with that `status`. One that was told to stop is left to whoever told it."""

    def __init__(self, health: Health, stop: StopSignal, status: int) -> None:
        self._health, self._stop, self._status = health, stop, status

    def start(self, look_s: float = 1.0) -> None:
        """Watch whoever calls, from a daemon thread."""
        watched = threading.get_ident()
        threading.Thread(target=self._watch, args=(watched, look_s), name="standstill", daemon=True).start()

    def _watch(self, watched: int, look_s: float) -> None:
        standstill = Standstill()
        while not self._stop.wait_thread(look_s):
            if standstill.look(self._health.is_alive()):
                log.error("standing still, leaving", at=_where(watched), **self._health.live_report()[1])
                sys.stderr.flush()
                sys.stdout.flush()
                os._exit(self._status)  # nothing that the stuck thread would have to do with


def _where(thread: int) -> list[str]:
    """The innermost calls of that thread, without what is in them."""
    frame = sys._current_frames().get(thread)
    stack = traceback.extract_stack(frame)[-FRAMES_TOLD:] if frame is not None else []
    return [f"{call.name} ({call.filename.rpartition('/')[2]}:{call.lineno})" for call in stack]
