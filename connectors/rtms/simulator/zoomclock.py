"""Zoom's clock: starts at the host's time and then never steps, whatever happens to the host's."""

import asyncio

from connectors.host.clock import Clock, SystemClock


class ZoomClock:
    """Unix milliseconds that only ever grow, and waiting for them."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._anchor_s = self._clock.now_us() / 1_000_000 - self._clock.monotonic()

    def now_ms(self) -> int:
        """The time."""
        return int((self._anchor_s + self._clock.monotonic()) * 1000)

    async def until(self, at_ms: float) -> None:
        """Wait for a time; at once when it has passed."""
        left_s = at_ms / 1000 - self._anchor_s - self._clock.monotonic()
        if left_s > 0:
            await asyncio.sleep(left_s)
