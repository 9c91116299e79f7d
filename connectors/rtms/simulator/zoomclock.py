"""Zoom's clock: starts at the host's time and then never steps, whatever happens to the host's."""

import asyncio

from connectors.host.clock import Clock, SystemClock


class ZoomClock:
    """Unix milliseconds that only ever grow, and waiting for them. With a `speed` above 1, meetings pass faster."""

    def __init__(self, clock: Clock | None = None, speed: float = 1.0, begin_ms: float | None = None) -> None:
        self._clock = clock or SystemClock()
        self._speed = speed
        self._began_s = self._clock.monotonic()
        self._began_ms = self._clock.now_us() / 1000 if begin_ms is None else begin_ms

    def beginning(self, at_ms: float) -> "ZoomClock":
        """A clock as fast as this one on which it is now another time."""
        return ZoomClock(self._clock, self._speed, at_ms)

    def now_ms(self) -> int:
        """The time."""
        return int(self._now_ms())

    async def until(self, at_ms: float) -> None:
        """Wait for a time; at once when it has passed."""
        left_ms = at_ms - self._now_ms()
        if left_ms > 0:
            await asyncio.sleep(left_ms / 1000 / self._speed)

    def _now_ms(self) -> float:
        return self._began_ms + (self._clock.monotonic() - self._began_s) * 1000 * self._speed
