"""Starts again what ends by itself, as any supervisor does, and remembers it: only what we do may end a process.

Who was kept from a transaction for longer than its coordinator waits cannot end it: it is fenced and leaves, as it
has to (docs/reliability.md). So is a static member whose coordinator takes it for another one's predecessor when that
was away (librdkafka 3437). Who cannot learn in time how its transaction ended leaves that to its successor. And who
opened a transaction of which Kafka had heard nothing when it went away cannot take it back: that is no state to do so
in, and the library's client is at its end. It is our doing when we had just frozen it or taken Kafka away; it is
counted apart.

It also asks every process whether it is well, so that it is known what could not be answered when.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.host.program import LEFT
from connectors.kafka.transactions import UNANSWERED
from deploy.local.unit import Unit
from tests.soak.faults import KAFKA
from tests.soak.troubles import Troubles

LOOK_S = 0.1
ASK_S = 0.5
RESTART_S = 0.5
STOOD_S = 3.0
"""A member that does not speak for 6 s is given up here, and speaks every 2 s."""
LAST_LINES = 12
LINE_CHARACTERS = 300
HAD_TO_LEAVE = ("_FENCED", "INVALID_TXN_STATE", "Static consumer fenced", UNANSWERED)
"""What a transaction's owner and a static member say of it."""


@dataclass(frozen=True, slots=True)
class Crash:
    """A process that nobody asked to end."""

    name: str
    exit_code: int
    last_lines: str

    def __str__(self) -> str:
        how = f"{self.name} ended by itself (exit code {self.exit_code}) and was started again"
        return f"{how}; its last lines:\n{self.last_lines}"


class Keeper:
    """Keeps what it is given from `start` to `close`. `troubles` knows a part as the name that came with its units.

    `stood_still`: this process was not let run for so long that others may have lost a membership by it.
    """

    def __init__(self) -> None:
        self.crashes: list[Crash] = []
        self.departures: list[Crash] = []
        self.troubles = Troubles()
        self.stood_still = False
        self._parts: dict[Unit, str] = {}
        self._in_hand: set[Unit] = set()
        self._gone_at: dict[Unit, float] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._every, args=(LOOK_S, self._start_again), name="keeper", daemon=True),
            threading.Thread(target=self._every, args=(ASK_S, self._ask), name="asking", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """From here on nothing is started again."""
        self._closing.set()

    def close(self) -> None:
        self.stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def keep(self, unit: Unit, part: str) -> None:
        with self._lock:
            self._parts[unit] = part

    def release(self, unit: Unit) -> None:
        """It is to be no more."""
        with self._lock:
            self._note(unit)
            del self._parts[unit]

    @contextmanager
    def in_hand(self, unit: Unit) -> Iterator[None]:
        """What happens to it in here is our doing; afterwards it runs."""
        with self._lock:
            self._note(unit)
            self._in_hand.add(unit)
            self.troubles.began(self._parts[unit], time.monotonic())
        try:
            yield
        finally:
            with self._lock:
                self._in_hand.discard(unit)

    def _every(self, seconds: float, look: Callable[[], None]) -> None:
        looked_s = time.monotonic()
        while not self._closing.wait(seconds):
            self._stood(looked_s, time.monotonic())
            look()
            looked_s = time.monotonic()

    def _stood(self, since_s: float, until_s: float) -> None:
        """Where waiting for a moment took seconds, the whole machine has had no time for anybody."""
        if until_s - since_s < STOOD_S:
            return
        self.stood_still = True
        with self._lock:
            for part in set(self._parts.values()):
                self.troubles.lasted(part, since_s, until_s)

    def _start_again(self) -> None:
        with self._lock:
            for unit in self._parts.keys() - self._in_hand:
                if unit.exit_code() is None:
                    self._gone_at.pop(unit, None)
                elif time.monotonic() - self._gone_at.setdefault(unit, time.monotonic()) > RESTART_S:
                    self._note(unit)
                    unit.launch()

    def _note(self, unit: Unit) -> None:
        code = unit.exit_code()
        if code is not None:
            crash = Crash(unit.name, code, _last_lines(unit))
            (self.departures if self.had_to_leave(unit) else self.crashes).append(crash)
            self._gone_at.pop(unit, None)

    def had_to_leave(self, unit: Unit) -> bool:
        """Whether one that has ended did so because of what we had done just before."""
        if unit.exit_code() != LEFT or not self.was_troubled(unit):
            return False
        last_lines = _last_lines(unit)
        return any(said in last_lines for said in HAD_TO_LEAVE)

    def was_troubled(self, unit: Unit) -> bool:
        """Whether something we did to it, or to Kafka, was just over when it ended; now if it runs."""
        at_s = self._gone_at.get(unit, time.monotonic())
        return self.troubles.explain({self._parts[unit], KAFKA}, at_s, at_s)

    def _ask(self) -> None:
        with self._lock:
            parts = dict(self._parts)
            unwell = {parts[unit] for unit in self._in_hand}
        for unit, part in parts.items():
            if part not in unwell and not unit.is_ready():
                unwell.add(part)
        with self._lock:
            unwell |= {self._parts[unit] for unit in self._in_hand}
            for part in set(parts.values()):
                (self.troubles.began if part in unwell else self.troubles.over)(part, time.monotonic())


def _last_lines(unit: Unit) -> str:
    if not unit.log.exists():
        return "    (nothing)"
    lines = unit.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join(f"    {line[:LINE_CHARACTERS]}" for line in lines)
