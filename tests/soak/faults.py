"""What can be done to a pipeline, and to whom. Pure.

A plan is a row of movements; within a movement lanes run side by side, and within a lane one fault follows the other.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

PROCESSORS = ("lifecycle", "participants", "transcription", "muxing", "composing")
SINK_CLICKHOUSE, SINK_OBJECTS = "sink-clickhouse", "sink-objects"
SINKS = (SINK_CLICKHOUSE, SINK_OBJECTS)
SINK_WEBHOOKS, API = "sink-webhooks", "api"
VICTIMS = (*PROCESSORS, *SINKS, SINK_WEBHOOKS, API)
"""Every process of ours but the connector worker, whose faults have tests of their own."""

KAFKA, REGISTRY, CLICKHOUSE, STORAGE = "kafka", "registry", "clickhouse", "storage"
SPEECH = "speech"
"""The speech services, which answer nobody while they are away."""

OUTSIDERS = (KAFKA, REGISTRY, CLICKHOUSE)
"""Processes that are not ours."""

EVERYTHING = "everything"
"""All processes, ours and not ours."""

STORE_OF = {SINK_CLICKHOUSE: CLICKHOUSE, SINK_OBJECTS: STORAGE}


class Kind(StrEnum):
    """What can be done to a victim."""

    KILL = "kill"  # kill -9, started again at once
    CUT = "cut"  # kill -9 of everything in one moment, as when the power fails; all started again at once
    RESTART = "restart"  # SIGTERM, must end by itself and cleanly, started again
    FREEZE = "freeze"  # SIGSTOP for `seconds`, then SIGCONT
    STARVE = "starve"  # its store away until it pauses its partitions; then frozen for `seconds`, the store back
    AWAY = "away"  # gone for `seconds`: killed where it is a process of ours, read-only where it is the object folder
    FULL = "full"  # no room left under the object folder for `seconds`
    SCALE = "scale"  # to `count` processes, all of them ready


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing done to one victim, `after_s` from the moment when it could be done."""

    kind: Kind
    victim: str
    after_s: float = 0.0
    seconds: float = 0.0
    count: int = 0

    def __str__(self) -> str:
        size = f" {self.seconds:.0f} s" if self.seconds else f" {self.count}" if self.count else ""
        return f"{self.kind} {self.victim}{size}"

    @property
    def takes_mount(self) -> bool:
        """Whether the object folder has to be a file system of its own for it."""
        return self.victim == STORAGE or (self.kind is Kind.STARVE and STORE_OF[self.victim] == STORAGE)


Lane = tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    name: str
    lanes: tuple[Lane, ...]


Plan = tuple[Movement, ...]


def planned(plan: Plan) -> Counter[Fault]:
    """Every fault of a plan."""
    return Counter(fault for movement in plan for lane in movement.lanes for fault in lane)


def omitted(plan: Plan, done: Counter[Fault]) -> list[str]:
    """What was planned and not done, in a line each: without it, an act shows less than it says."""
    return [f"not carried out: {count} × {fault}" for fault, count in (planned(plan) - done).items()]
