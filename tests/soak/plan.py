"""Which faults are done in which order, drawn from a seed. Pure."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.soak.faults import (
    CLICKHOUSE,
    EVERYTHING,
    KAFKA,
    OUTSIDERS,
    PROCESSORS,
    REGISTRY,
    SINKS,
    SPEECH,
    STORAGE,
    VICTIMS,
    Fault,
    Kind,
    Lane,
    Movement,
    Plan,
)

BESIDE = "+"
"""Between the names of movements that run side by side."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How hard it gets: the short form for every test run, the full one for a soak.

    `kills`, `restarts` and `freezes` are counted per process, `cuts` for all together. An outage lasts longer than any
    client of Kafka waits before it gives something up (transactions 5 s, groups 6 and 8 s, the API 5 s, between two
    polls 8 s).
    """

    kills: int = 3
    cuts: int = 1
    restarts: int = 1
    freezes: int = 1
    freeze_s: float = 10.0
    broker_away_s: tuple[float, ...] = (12.0,)
    store_away_s: float = 10.0
    away_s: float = 5.0
    pauses_s: tuple[float, float] = (0.3, 1.5)


SHORT = Scale()
FULL = Scale(
    kills=50,
    cuts=3,
    restarts=5,
    freezes=4,
    freeze_s=30.0,
    broker_away_s=(20.0, 60.0),
    store_away_s=120.0,
    away_s=120.0,
    pauses_s=(0.3, 4.0),
)


class Drawer:
    """Draws the movements of one plan; the order of calls matters, nothing else."""

    def __init__(self, seed: int, scale: Scale) -> None:
        self._dice = random.Random(seed)
        self._scale = scale

    def kills(self) -> tuple[Lane, ...]:
        """kill -9 of every process, again and again."""
        return tuple(self._lane(Kind.KILL, victim, self._scale.kills) for victim in VICTIMS)

    def power(self) -> tuple[Lane, ...]:
        """The power fails: everything is gone in one moment, and nothing is there when anything starts again."""
        return (self._lane(Kind.CUT, EVERYTHING, self._scale.cuts),)

    def rolling(self) -> tuple[Lane, ...]:
        """SIGTERM to one process after the other, those that are not ours included; each round in another order."""
        everybody = (*VICTIMS, *OUTSIDERS)
        rounds = [self._dice.sample(everybody, len(everybody)) for _ in range(self._scale.restarts)]
        return (tuple(Fault(Kind.RESTART, victim, self._pause_s()) for order in rounds for victim in order),)

    def freezes(self) -> tuple[Lane, ...]:
        """All at once stand still for longer than a group waits for a member; then each again at its own moments."""
        return tuple(self._freezes(victim) for victim in VICTIMS)

    def starving(self) -> tuple[Lane, ...]:
        """Both sinks frozen while they wait for their stores: the group takes partitions away that were paused."""
        return tuple((self._one(Kind.STARVE, victim, self._scale.freeze_s),) for victim in SINKS)

    def broker(self) -> tuple[Lane, ...]:
        """The broker killed, and during the first outage half of all processes: they start without it."""
        away = tuple(Fault(Kind.AWAY, KAFKA, self._pause_s(), away_s) for away_s in self._scale.broker_away_s)
        killed = self._dice.sample(VICTIMS, len(VICTIMS) // 2)
        return (away, *self._during(away[0], killed))

    def clickhouse(self) -> tuple[Lane, ...]:
        """ClickHouse killed."""
        return ((self._one(Kind.AWAY, CLICKHOUSE, self._scale.store_away_s),),)

    def disk(self) -> tuple[Lane, ...]:
        """The object folder takes no writes, then it has no room."""
        return ((self._one(Kind.AWAY, STORAGE), self._one(Kind.FULL, STORAGE)),)

    def speech(self) -> tuple[Lane, ...]:
        """The speech services answer nobody."""
        return ((self._one(Kind.AWAY, SPEECH, self._scale.store_away_s),),)

    def registry(self) -> tuple[Lane, ...]:
        """The registry killed, and while it is away every process: what starts then has to wait for it."""
        away = Fault(Kind.AWAY, REGISTRY, 0.0, self._scale.store_away_s)
        return ((away,), *self._during(away, VICTIMS))

    def together(self) -> tuple[Lane, ...]:
        """Two outages at once, and a process killed in their middle."""
        pair = self._dice.sample((KAFKA, CLICKHOUSE, REGISTRY, STORAGE), 2)
        away_s = min(self._scale.away_s, max(self._scale.broker_away_s))
        away = [(self._one(Kind.AWAY, name, away_s),) for name in pair]
        return (*away, (self._one(Kind.KILL, self._dice.choice(VICTIMS), 0.0),))

    def scaling(self) -> tuple[Lane, ...]:
        """Every processor from one process to three, the first frozen meanwhile, and back to one."""
        return tuple(
            (
                Fault(Kind.SCALE, victim, count=3),
                Fault(Kind.FREEZE, victim, self._pause_s(), self._scale.freeze_s),
                Fault(Kind.SCALE, victim, self._pause_s(), count=1),
            )
            for victim in PROCESSORS
        )

    def _during(self, outage: Fault, victims: Iterable[str]) -> list[Lane]:
        """A kill each, so early that the process is up again, but for what is away, long before that is back."""
        least_s, most_s = outage.after_s + 0.05 * outage.seconds, outage.after_s + 0.2 * outage.seconds
        return [(Fault(Kind.KILL, victim, self._within(least_s, most_s)),) for victim in victims]

    def _lane(self, kind: Kind, victim: str, times: int) -> Lane:
        return tuple(Fault(kind, victim, self._pause_s()) for _ in range(times))

    def _freezes(self, victim: str) -> Lane:
        first = self._one(Kind.FREEZE, victim, self._scale.freeze_s)
        later = (self._within(0.0, self._scale.freeze_s) for _ in range(self._scale.freezes - 1))
        return (first, *(Fault(Kind.FREEZE, victim, after_s, self._scale.freeze_s) for after_s in later))

    def _one(self, kind: Kind, victim: str, seconds: float | None = None) -> Fault:
        return Fault(kind, victim, self._pause_s(), self._scale.away_s if seconds is None else seconds)

    def _pause_s(self) -> float:
        return self._within(*self._scale.pauses_s)

    def _within(self, least_s: float, most_s: float) -> float:
        return round(self._dice.uniform(least_s, most_s), 2)


MOVEMENTS: dict[str, Callable[[Drawer], tuple[Lane, ...]]] = {
    "kills": Drawer.kills,
    "power": Drawer.power,
    "rolling": Drawer.rolling,
    "freezes": Drawer.freezes,
    "starving": Drawer.starving,
    "broker": Drawer.broker,
    "clickhouse": Drawer.clickhouse,
    "speech": Drawer.speech,
    "registry": Drawer.registry,
    "disk": Drawer.disk,
    "together": Drawer.together,
    "scaling": Drawer.scaling,
}


def draw(seed: int, scale: Scale, names: tuple[str, ...] = tuple(MOVEMENTS)) -> Plan:
    """The plan of that seed; the same seed, scale and names, the same plan. A name may be several, joined by a +."""
    drawer = Drawer(seed, scale)
    return tuple(
        Movement(name, tuple(lane for part in name.split(BESIDE) for lane in MOVEMENTS[part](drawer)))
        for name in names
    )  # fmt: skip


# What a fault takes besides what it says, until the victim works again: a guess, for pacing only.
_RECOVERY_S = {Kind.KILL: 4.0, Kind.CUT: 12.0, Kind.RESTART: 3.0, Kind.AWAY: 4.0, Kind.SCALE: 6.0, Kind.STARVE: 6.0}
# A dead member of a KIP-848 group holds its partitions for a session; the others are static and come back to theirs.
_SINK_RECOVERY_S = 10.0


def nominal_s(plan: Plan) -> float:
    """About how long the plan takes."""
    return sum(map(duration_s, plan))


def duration_s(movement: Movement) -> float:
    """About how long a movement takes."""
    return max(sum(map(_nominal_s, lane)) for lane in movement.lanes)


def _nominal_s(fault: Fault) -> float:
    is_sink = fault.kind is Kind.KILL and fault.victim in SINKS
    return fault.after_s + fault.seconds + (_SINK_RECOVERY_S if is_sink else _RECOVERY_S.get(fault.kind, 1.0))


def draw_seconds(seed: int, plan: Plan, meetings: int) -> list[float]:
    """How long each meeting is to last: the first as long as the plan, the others from half to all of it.

    One of them ends in the middle of a starving: a recording that cannot be finished is what a sink pauses for.
    """
    dice = random.Random(f"{seed} seconds")
    whole_s = max(1.0, nominal_s(plan))
    drawn = [whole_s, *(round(whole_s * dice.uniform(0.5, 1.0), 1) for _ in range(meetings - 1))]
    for number, movement in enumerate(plan):
        if any(fault.kind is Kind.STARVE for lane in movement.lanes for fault in lane):
            drawn[-1] = nominal_s(plan[:number]) + duration_s(movement) / 2
    return drawn
