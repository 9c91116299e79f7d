"""When a crashed process is started again: at once at first, later and later while it keeps crashing."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
GIVEN_UP_AFTER = 5
"""Crashes in a row of a process without which nothing runs: some twenty seconds."""

# Who has run this long has recovered: its next crash counts as the first again.
STEADY_S = 60.0


@dataclass(frozen=True, slots=True)
class Restarts:
    """What is known about one process; times are a monotonic clock's seconds."""

    launched_at: float
    crashes: int = 0
    due_at: float | None = None

    def crashed(self, now: float) -> Restarts:
        """The process was found dead: the next start is due after a delay that doubles from crash to crash."""
        crashes = 1 if now - self.launched_at >= STEADY_S else self.crashes + 1
        delay_s = min(FIRST_DELAY_S * 2 ** (crashes - 1), LONGEST_DELAY_S)
        return Restarts(self.launched_at, crashes, now + delay_s)

    def launched(self, now: float) -> Restarts:
        """The process was started again."""
        return Restarts(now, self.crashes)

    @property
    def is_hopeless(self) -> bool:
        """Whether it has crashed so often that one more start would not help."""
        return self.crashes >= GIVEN_UP_AFTER

    def is_due(self, now: float) -> bool:
        """Whether it is time to start it again."""
        return self.due_at is not None and now >= self.due_at
