"""Keeps client libraries from flooding the log.

During a broker outage aiokafka alone writes some eighty errors a second that all say the same. Each distinct line is
let through a few times per window, then counted, and the count is given with the next one that passes.
"""

import logging
import time
from dataclasses import dataclass, field
from typing import NamedTuple

NOISY_LOGGERS = (
    "aiokafka",
    "faust",
    "mode",
    "librdkafka",
    "kafka",
    "httpx",
    "httpcore",
    "urllib3",
    "uvicorn",
    "websockets",
)


class Verdict(NamedTuple):
    """Whether a line passes, and how many equal ones were held back since the last that did."""

    passes: bool
    held_back: int


@dataclass(slots=True)
class NoiseGate:
    """Pure bookkeeping: at most `burst` equal lines per `window_s`."""

    burst: int = 3
    window_s: float = 30.0
    max_keys: int = 1000
    _seen: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def admit(self, logger: str, template: str, now: float) -> Verdict:
        """Decide on one line; lines are equal when logger and unformatted message are."""
        entry = self._seen.get((logger, template))
        if entry is None:
            if len(self._seen) >= self.max_keys:
                self._seen.clear()
            entry = self._seen[logger, template] = [now, 0, 0]
        started, passed, held_back = entry
        if now - started >= self.window_s:
            started, passed = now, 0
        if passed >= self.burst:
            entry[:] = [started, passed, held_back + 1]
            return Verdict(False, 0)
        entry[:] = [started, passed + 1, 0]
        return Verdict(True, int(held_back))


class NoiseFilter(logging.Filter):
    """Hangs the gate before a log handler, for the noisy libraries only."""

    def __init__(self, gate: NoiseGate | None = None) -> None:
        super().__init__()
        self._gate = gate or NoiseGate()

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass everything of ours, and what the gate admits of theirs."""
        if record.name.partition(".")[0] not in NOISY_LOGGERS:
            return True
        verdict = self._gate.admit(record.name, str(record.msg), time.monotonic())
        if verdict.held_back:
            record.held_back = verdict.held_back
        return verdict.passes
