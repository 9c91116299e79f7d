"""What is done to the pipeline and in which order, drawn from a seed. Pure.

A plan is a row of movements; within a movement lanes run side by side, and within a lane one fault follows the other.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

PROCESSORS = ("lifecycle", "participants", "transcription", "muxing")
SINKS = ("sink-clickhouse", "sink-objects")
VICTIMS = (*PROCESSORS, *SINKS, "api")
"""Every process of ours but the connector worker, whose faults have tests of their own."""

KAFKA, REGISTRY, CLICKHOUSE, STORAGE = "kafka", "registry", "clickhouse", "storage"


class Kind(StrEnum):
    """What can be done to a victim."""

    KILL = "kill"  # kill -9, started again at once
    RESTART = "restart"  # SIGTERM, must end by itself and cleanly, started again
    FREEZE = "freeze"  # SIGSTOP for `seconds`, then SIGCONT
    AWAY = "away"  # gone for `seconds`: killed where it is a process, read-only where it is the object folder
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


@dataclass(frozen=True, slots=True)
class Movement:
    name: str
    lanes: tuple[tuple[Fault, ...], ...]


Plan = tuple[Movement, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """How hard it gets: the short form for every test run, the full one for a soak."""

    kills: int = 3
    freeze_s: float = 10.0
    broker_away_s: tuple[float, ...] = (5.0,)
    away_s: float = 4.0
    pauses_s: tuple[float, float] = (0.3, 1.5)


SHORT = Scale()
FULL = Scale(kills=50, freeze_s=30.0, broker_away_s=(20.0, 60.0), away_s=120.0, pauses_s=(0.3, 4.0))


class Drawer:
    """Draws the movements of one plan; the order of calls matters, nothing else."""

    def __init__(self, seed: int, scale: Scale) -> None:
        self._dice = random.Random(seed)
        self._scale = scale

    def kills(self) -> Movement:
        """kill -9 of every process, again and again."""
        lanes = [self._lane(Kind.KILL, victim, self._scale.kills) for victim in VICTIMS]
        return Movement("kills", tuple(lanes))

    def rolling(self) -> Movement:
        """SIGTERM to one process after the other."""
        order = self._dice.sample(VICTIMS, len(VICTIMS))
        return Movement("rolling", (tuple(Fault(Kind.RESTART, victim, self._pause_s()) for victim in order),))

    def freezes(self) -> Movement:
        """All at once stand still for longer than a group waits for a member."""
        return Movement("freezes", tuple(self._one(Kind.FREEZE, victim, self._scale.freeze_s) for victim in VICTIMS))

    def broker(self) -> Movement:
        """The broker killed."""
        faults = tuple(Fault(Kind.AWAY, KAFKA, self._pause_s(), away_s) for away_s in self._scale.broker_away_s)
        return Movement("broker", (faults,))

    def stores(self) -> Movement:
        """ClickHouse and the registry away, one after the other."""
        order = self._dice.sample((CLICKHOUSE, REGISTRY), 2)
        return Movement("stores", (tuple(fault for name in order for fault in self._one(Kind.AWAY, name)),))

    def disk(self) -> Movement:
        """The object folder takes no writes, then it has no room."""
        return Movement("disk", ((*self._one(Kind.AWAY, STORAGE), *self._one(Kind.FULL, STORAGE)),))

    def together(self) -> Movement:
        """Two outages at once, and a process killed in their middle."""
        pair = self._dice.sample((KAFKA, CLICKHOUSE, REGISTRY, STORAGE), 2)
        away_s = min(self._scale.away_s, max(self._scale.broker_away_s))
        lanes = [self._one(Kind.AWAY, name, away_s) for name in pair]
        return Movement("together", (*lanes, self._one(Kind.KILL, self._dice.choice(VICTIMS))))

    def scaling(self) -> Movement:
        """Every processor from one process to three, the first frozen meanwhile, and back to one; the others frozen."""
        lanes = [
            (
                Fault(Kind.SCALE, victim, count=3),
                Fault(Kind.FREEZE, victim, self._pause_s(), self._scale.freeze_s),
                Fault(Kind.SCALE, victim, self._pause_s(), count=1),
            )
            for victim in PROCESSORS
        ]
        frozen = [self._one(Kind.FREEZE, victim, self._scale.freeze_s) for victim in (*SINKS, "api")]
        return Movement("scaling", (*lanes, *frozen))

    def _lane(self, kind: Kind, victim: str, times: int) -> tuple[Fault, ...]:
        return tuple(Fault(kind, victim, self._pause_s()) for _ in range(times))

    def _one(self, kind: Kind, victim: str, seconds: float | None = None) -> tuple[Fault, ...]:
        takes_time = kind is not Kind.KILL
        return (Fault(kind, victim, self._pause_s(), (seconds or self._scale.away_s) if takes_time else 0.0),)

    def _pause_s(self) -> float:
        return round(self._dice.uniform(*self._scale.pauses_s), 2)


MOVEMENTS: dict[str, Callable[[Drawer], Movement]] = {
    "kills": Drawer.kills,
    "rolling": Drawer.rolling,
    "freezes": Drawer.freezes,
    "broker": Drawer.broker,
    "stores": Drawer.stores,
    "disk": Drawer.disk,
    "together": Drawer.together,
    "scaling": Drawer.scaling,
}


def draw(seed: int, scale: Scale, names: tuple[str, ...] = tuple(MOVEMENTS)) -> Plan:
    """The plan of that seed; the same seed, scale and names, the same plan."""
    drawer = Drawer(seed, scale)
    return tuple(MOVEMENTS[name](drawer) for name in names)


# What a fault takes besides what it says, until the victim works again: a guess, for pacing only.
_RECOVERY_S = {Kind.KILL: 4.0, Kind.RESTART: 3.0, Kind.AWAY: 4.0, Kind.SCALE: 6.0}
# A dead member of a KIP-848 group holds its partitions for a session; the others are static and come back to theirs.
_SINK_RECOVERY_S = 10.0


def nominal_s(plan: Plan) -> float:
    """About how long the plan takes."""
    return sum(max(sum(map(_nominal_s, lane)) for lane in movement.lanes) for movement in plan)


def _nominal_s(fault: Fault) -> float:
    is_sink = fault.kind is Kind.KILL and fault.victim in SINKS
    return fault.after_s + fault.seconds + (_SINK_RECOVERY_S if is_sink else _RECOVERY_S.get(fault.kind, 1.0))


def draw_seconds(seed: int, plan: Plan, meetings: int) -> list[float]:
    """How long each meeting is to last: the first as long as the plan, the others from half to all of it."""
    dice = random.Random(f"{seed} seconds")
    whole_s = max(1.0, nominal_s(plan))
    return [whole_s, *(round(whole_s * dice.uniform(0.5, 1.0), 1) for _ in range(meetings - 1))]
