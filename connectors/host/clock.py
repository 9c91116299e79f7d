"""The only clock: everything else is handed the time, so that it can be tested and replayed."""

import time
from typing import Protocol


class Clock(Protocol):
    """What shells need from time."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...

    def now_us(self) -> int:
        """Unix time in microseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never steps back."""
        ...


class SystemClock:
    """The clock of this machine."""

    __slots__ = ()

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def now_us(self) -> int:
        """Unix time in microseconds."""
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never steps back."""
        return time.monotonic()
