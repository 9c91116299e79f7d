"""What a session costs beside Zoom's own SDK, which receives the same meetings: CPU and memory of one process.

Ours goes all the way: TLS, Avro, Kafka with every frame acknowledged. The SDK hands frames to callbacks that only
count them. Both have the same number of sessions from the same load, in turn; nothing may be missing on either side.
Memory is what the pages of the process come to once it has been receiving for a while (PSS), and what each session
adds to that of the process without any.
"""

import importlib.util
from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

from deploy.local.memory import proportional_bytes
from tests.bench.rows import Row
from tests.bench.streams.client import OURS
from tests.bench.streams.ground import Ground, prepared
from tests.bench.streams.pacing import Load

SDK = "Zoom's own SDK"
SENDS_MS = (20, 100)
SESSIONS = 32

_SETTLE_S = 3.0
_WATCH_S = 8.0
_ARRIVED = 0.98
_SOCKETS = {OURS: 1, SDK: 2}
"""Per session: ours takes all media over one."""


class Lossy(RuntimeError):
    """Frames were missing while being counted: the figure would be worth nothing."""


class Missing(RuntimeError):
    """What is to be compared with is not here; says how to get it."""


class Cost(NamedTuple):
    """Of one process: CPU as a share of a core, memory in MiB with all sessions, and what they added to it."""

    cpu: float
    memory: float
    growth: float


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """Both sides in turn, `rounds` times. Raises Missing."""
    if importlib.util.find_spec("rtms") is None:
        raise Missing("Zoom's SDK is not installed: it runs on Linux x86-64 only, where `make` installs rtms 1.1.0")
    costs: dict[tuple[int, str], list[Cost]] = defaultdict(list)
    with prepared() as ground:
        for _ in range(rounds):
            for rate in SENDS_MS:
                for side in (OURS, SDK):
                    cost = _cost(ground, side, rate)
                    costs[rate, side].append(cost)
                    say(f"send_rate {rate}, {side}: CPU {cost.cpu:.1%} of a core, {cost.memory:.0f} MiB, "
                        f"{cost.growth:.0f} of them for the sessions")  # fmt: skip
    return [row for rate in SENDS_MS for row in rows(rate, costs[rate, OURS], costs[rate, SDK])]


def rows(send_rate_ms: int, ours: list[Cost], theirs: list[Cost]) -> list[Row]:
    """Medians a session, and of the whole process. Pure."""
    shape = f"send_rate {send_rate_ms} ({Load(1, send_rate_ms).frames_per_s:.0f} frames/s)"
    wanted: list[tuple[str, str, Callable[[Cost], float]]] = [
        (f"CPU of a session, {shape}", "% of a core", lambda cost: 100 * cost.cpu / SESSIONS),
        (f"memory that a session adds, {shape}", "MiB", lambda cost: cost.growth / SESSIONS),
        (f"memory of a process with {SESSIONS} sessions, {shape}", "MiB", lambda cost: cost.memory),
    ]
    return [
        Row(name=name, unit=unit, ours=median(map(of, ours)), rival=median(map(of, theirs)), rival_name=SDK, goal=1.0)
        for name, unit, of in wanted
    ]


def _cost(ground: Ground, side: str, rate: int) -> Cost:
    """Of a new process. Raises Lossy."""
    started = ground.zooms_sdk(send_rate_ms=rate) if side == SDK else ground.receiver(OURS, send_rate_ms=rate)
    with started as receiver:
        receiver.ask("watch 0.1")
        before = proportional_bytes([receiver.pid])
        receiver.ask(f"connect {SESSIONS}")
        ground.zoom.ask(f"await {_SOCKETS[side] * SESSIONS}")
        ground.zoom.ask(f"pace {rate}")
        receiver.ask(f"watch {_SETTLE_S}")
        watched = receiver.ask(f"watch {_WATCH_S}")
        after = proportional_bytes([receiver.pid])
        ground.zoom.ask("stop")
    ground.forget_streams()
    check(watched, Load(SESSIONS, rate))
    return Cost(watched["cpu_s"] / watched["wall_s"], after / 2**20, (after - before) / 2**20)


def check(watched: dict[str, Any], load: Load) -> None:
    """Everything came, and went on to Kafka where there is one. Raises Lossy."""
    arrived = watched["frames"] / (load.frames_per_s * watched["wall_s"])
    if watched["ended"] or watched.get("lost") or arrived < _ARRIVED:
        raise Lossy(f"{arrived:.1%} arrived, {watched.get('lost', 0)} were lost; ended: {watched['ended']}")
