"""Does to a stage what a plan says: lanes side by side, and all of a movement before the next one begins."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack

from deploy.local.unit import Unit, UnitFailed
from tests.soak.faults import (
    KAFKA,
    SINK_CLICKHOUSE,
    SINK_OBJECTS,
    SPEECH,
    STORAGE,
    STORE_OF,
    Fault,
    Kind,
    Lane,
    Movement,
    Plan,
)
from tests.soak.stage import Stage, wait_until

Say = Callable[[str], None]

PROGRESS_S = 30.0
NOTICED_S = 120.0
PAUSED = {
    SINK_OBJECTS: "rtms_sink_objects_paused_partitions",
    SINK_CLICKHOUSE: "rtms_sink_clickhouse_paused_partitions",
}
WRITER_OF = {store: sink for sink, store in STORE_OF.items()}
SIGTERM = 15
CLEAN = {KAFKA: (0, 128 + SIGTERM)}
"""Exit codes after SIGTERM where 0 is not the only good one: Java's is the signal's, also after a clean end."""


class Disturber:
    """`done` has what was done, `skipped` what this machine cannot do; `failures` says what a process did that it must
    not do, whatever the data say."""

    def __init__(self, stage: Stage, say: Say) -> None:
        self._stage = stage
        self._say = say
        self._stopping = stage.stopping
        self._does: dict[Kind, Callable[[Fault], None]] = {
            Kind.KILL: self._kill,
            Kind.CUT: self._cut,
            Kind.RESTART: self._restart,
            Kind.FREEZE: self._freeze,
            Kind.STARVE: self._starve,
            Kind.AWAY: self._away_for,
            Kind.FULL: self._full,
            Kind.SCALE: self._scale,
        }
        self.done: Counter[Fault] = Counter()
        self.skipped: Counter[Fault] = Counter()
        self.failures: list[str] = []

    def run(self, plan: Plan, on_movement: Callable[[int], None]) -> None:
        """All of it; `on_movement` hears the number of each movement when it begins."""
        for number, movement in enumerate(plan):
            if not self._stopping.is_set():
                on_movement(number)
                self._run(movement)

    def _run(self, movement: Movement) -> None:
        began, before, total = time.monotonic(), self.done.total(), sum(map(len, movement.lanes))
        self._say(f"{movement.name}: {', '.join(_summary(lane) for lane in movement.lanes)}")
        with ThreadPoolExecutor(len(movement.lanes)) as pool:
            lanes = {pool.submit(self._lane, faults) for faults in movement.lanes}
            try:
                while (so_far := wait(lanes, PROGRESS_S, FIRST_EXCEPTION)).not_done:
                    for lane in so_far.done:
                        lane.result()
                    ended = f"{len(self._stage.keeper.crashes)} processes ended by themselves"
                    self._say(f"{movement.name}: {self.done.total() - before} of {total}, {ended}")
                for lane in lanes:
                    lane.result()
            except BaseException:
                self._stopping.set()
                raise
        self._say(f"{movement.name}: done in {time.monotonic() - began:.0f} s")

    def _lane(self, faults: Lane) -> None:
        for fault in faults:
            if self._stopping.is_set():
                return
            if fault.takes_mount and not self._stage.storage.can_fail:
                self.skipped[fault] += 1
                continue
            try:
                self._does[fault.kind](fault)
            except UnitFailed as failure:
                self.failures.append(f"{fault}: {failure}")
                return
            self.done[fault] += 1

    def _kill(self, fault: Fault) -> None:
        self._stage.kill_and_launch(self._ready(fault))

    def _cut(self, fault: Fault) -> None:
        self._pause(fault)
        self._stage.cut_power()

    def _restart(self, fault: Fault) -> None:
        unit = self._ready(fault)
        code = self._stage.restart(unit)
        if code not in CLEAN.get(fault.victim, (0,)):
            self.failures.append(f"{unit.name} did not end cleanly on SIGTERM (exit code {code}): see {unit.log}")
        self._stage.wait_ready(unit)

    def _freeze(self, fault: Fault) -> None:
        with self._stage.frozen(self._ready(fault)):
            self._stopping.wait(fault.seconds)

    def _starve(self, fault: Fault) -> None:
        unit, half_s = self._ready(fault), fault.seconds / 2
        with ExitStack() as thawing:
            with self._away(STORE_OF[fault.victim]):
                if not wait_until(lambda: self._has_paused(fault.victim), NOTICED_S, self._stopping):
                    raise UnitFailed(f"{unit.name} went on reading without its store", unit.log)
                thawing.enter_context(self._stage.frozen(unit))
                self._stopping.wait(half_s)
            self._stopping.wait(half_s)

    def _away_for(self, fault: Fault) -> None:
        self._pause(fault)
        with self._away(fault.victim):
            self._wait(fault)

    def _away(self, name: str) -> AbstractContextManager[None]:
        if name == STORAGE:
            return self._stage.storage.read_only()
        return self._stage.unheard() if name == SPEECH else self._stage.away(name)

    def _wait(self, fault: Fault) -> None:
        """As long as the plan says, and until somebody has met it: an outage that nobody notices is none."""
        self._stopping.wait(fault.seconds)
        if (writer := WRITER_OF.get(fault.victim)) is None:
            return
        unit = self._stage.unit(writer)
        if not wait_until(lambda: not unit.is_ready(), NOTICED_S, self._stopping):
            raise UnitFailed(f"{writer} did not notice", unit.log)

    def _has_paused(self, victim: str) -> bool:
        return self._stage.counted(victim, PAUSED[victim]) > 0

    def _ready(self, fault: Fault) -> Unit:
        """The victim, at the moment that the plan means."""
        unit = self._stage.unit(fault.victim)
        self._stage.wait_ready(unit)
        self._pause(fault)
        return unit

    def _full(self, fault: Fault) -> None:
        self._pause(fault)
        with self._stage.storage.full():
            self._wait(fault)

    def _scale(self, fault: Fault) -> None:
        self._pause(fault)
        self._stage.scale(fault.victim, fault.count)

    def _pause(self, fault: Fault) -> None:
        """The moment is meant to be arbitrary."""
        self._stopping.wait(fault.after_s)


def _summary(lane: Lane) -> str:
    names = [str(fault) for fault in lane]
    return f"{len(lane)} × {names[0]}" if len(lane) > 1 and len(set(names)) == 1 else " → ".join(names)
