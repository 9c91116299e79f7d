"""Does to a stage what a plan says: lanes side by side, and all of a movement before the next one begins."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from deploy.local.unit import UnitFailed
from tests.soak.plan import STORAGE, Fault, Kind, Movement, Plan
from tests.soak.stage import Stage

Say = Callable[[str], None]


class Disturber:
    """`done` counts what was done; `failures` says what a process did that it must not do, whatever the data say."""

    def __init__(self, stage: Stage, say: Say) -> None:
        self._stage = stage
        self._say = say
        self._stopping = stage.stopping
        self._does: dict[Kind, Callable[[Fault], None]] = {
            Kind.KILL: self._kill,
            Kind.RESTART: self._restart,
            Kind.FREEZE: self._freeze,
            Kind.AWAY: self._away,
            Kind.FULL: self._full,
            Kind.SCALE: self._scale,
        }
        self.done: Counter[Kind] = Counter()
        self.failures: list[str] = []
        self.skipped: list[str] = []

    def run(self, plan: Plan) -> None:
        for movement in plan:
            if not self._stopping.is_set():
                self._run(movement)

    def _run(self, movement: Movement) -> None:
        began = time.monotonic()
        self._say(f"{movement.name}: {', '.join(_summary(lane) for lane in movement.lanes)}")
        with ThreadPoolExecutor(len(movement.lanes)) as pool:
            lanes = [pool.submit(self._lane, faults) for faults in movement.lanes]
            try:
                for lane in lanes:
                    lane.result()
            except BaseException:
                self._stopping.set()
                raise
        self._say(f"{movement.name}: done in {time.monotonic() - began:.0f} s")

    def _lane(self, faults: tuple[Fault, ...]) -> None:
        for fault in faults:
            if self._stopping.is_set():
                return
            if fault.victim == STORAGE and not self._stage.storage.can_fail:
                self.skipped.append(f"{fault}: mounting a small file system for the object folder takes root")
                continue
            try:
                self._does[fault.kind](fault)
            except UnitFailed as failure:
                self.failures.append(f"{fault}: {failure}")
                return
            self.done[fault.kind] += 1

    def _kill(self, fault: Fault) -> None:
        member = self._stage.members(fault.victim)[0]
        self._stage.wait_ready(member)
        self._pause(fault)
        self._stage.kill_and_launch(member)

    def _restart(self, fault: Fault) -> None:
        member = self._stage.members(fault.victim)[0]
        self._stage.wait_ready(member)
        self._pause(fault)
        code = self._stage.restart(member)
        if code != 0:
            self.failures.append(f"{member.name} did not end cleanly on SIGTERM (exit code {code}): see {member.log}")
        self._stage.wait_ready(member)

    def _freeze(self, fault: Fault) -> None:
        member = self._stage.members(fault.victim)[0]
        self._stage.wait_ready(member)
        self._pause(fault)
        self._stage.freeze(member, fault.seconds)

    def _away(self, fault: Fault) -> None:
        self._pause(fault)
        if fault.victim != STORAGE:
            self._stage.away(fault.victim, fault.seconds)
            return
        self._stage.storage.refuse_writes()
        self._stopping.wait(fault.seconds)
        self._stage.storage.take_writes()

    def _full(self, fault: Fault) -> None:
        self._pause(fault)
        self._stage.storage.fill()
        self._stopping.wait(fault.seconds)
        self._stage.storage.empty()

    def _scale(self, fault: Fault) -> None:
        self._pause(fault)
        self._stage.scale(fault.victim, fault.count)

    def _pause(self, fault: Fault) -> None:
        """The moment is meant to be arbitrary."""
        self._stopping.wait(fault.after_s)


def _summary(lane: tuple[Fault, ...]) -> str:
    names = [str(fault) for fault in lane]
    return f"{len(lane)} × {names[0]}" if len(lane) > 1 and len(set(names)) == 1 else " → ".join(names)
