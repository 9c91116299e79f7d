"""What receiving costs: from TLS bytes on a socket to a record that Kafka has acknowledged, per frame.

Every side runs in a process of its own and gets the same frames in bursts, as fast as it reads them; its CPU is
counted (user and system, all threads), nobody else's. Ours counts only when the log has grown by every frame.
"""

from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

from tests.bench.rows import Row
from tests.bench.streams import messages
from tests.bench.streams.child import Child
from tests.bench.streams.client import OURS
from tests.bench.streams.ground import Ground, prepared

_UNIT = "µs/frame"


class Size(NamedTuple):
    """Frames of one size, a few megabytes of them a burst: what Kafka can have in flight at once.

    With more, the client library waits for Kafka actively, and what is counted is how busy the broker's core was.
    """

    label: str
    kind: str
    payload: int
    frames: int
    bursts: int
    goal: float


SIZES = (
    Size("640 B (20 ms of audio)", "audio", messages.AUDIO_20_MS, 6_000, 8, 1.2),
    Size("3.2 KB (100 ms of audio)", "audio", messages.AUDIO_100_MS, 1_200, 12, 2.5),
    Size("20 KB (a picture)", "video", messages.PICTURE, 200, 16, 2.5),
)
_PICTURES = SIZES[-1]
_FEW_PICTURES = _PICTURES._replace(frames=100, bursts=2)
_INCUMBENT_GOAL = 25
_WARMING = 2
_PATIENCE_S = 60


class Lossy(RuntimeError):
    """Frames got lost while being counted: the figure would be worth nothing."""


def measure(rounds: int, say: Callable[[str], None]) -> list[Row]:
    """All sizes; the sides in turn, `rounds` times."""
    costs: dict[tuple[str, str], list[float]] = defaultdict(list)
    with prepared() as ground:
        for number in range(rounds):
            for size in SIZES:
                for side in (OURS, "sample", "ceiling"):
                    costs[size.label, side].append(_cost_us(ground, side, size))
                say(f"round {number + 1}, {size.label}: " + _shown(costs, size, (OURS, "sample", "ceiling")))
            costs[_PICTURES.label, "incumbent"].append(_cost_us(ground, "incumbent", _FEW_PICTURES))
            say(f"round {number + 1}, {_PICTURES.label}: " + _shown(costs, _PICTURES, ("incumbent",)))
    return _rows({key: median(values) for key, values in costs.items()})


def _rows(costs: dict[tuple[str, str], float]) -> list[Row]:
    rows = [
        _row(
            f"CPU of wss → Avro → Kafka, {size.label}",
            costs,
            size,
            "sample",
            "Zoom's Python sample, to a file",
            size.goal,
        )
        for size in SIZES
    ]
    name = f"CPU of wss → Avro → Kafka, {_PICTURES.label}"
    rows.append(_row(name, costs, _PICTURES, "incumbent", "a loop over every byte, to a file", _INCUMBENT_GOAL))
    rows += [
        _row(f"… beside the ceiling, {size.label}", costs, size, "ceiling", "receiving and doing nothing", None)
        for size in SIZES
    ]
    return rows


def _row(
    name: str, costs: dict[tuple[str, str], float], size: Size, rival: str, rival_name: str, goal: float | None
) -> Row:
    return Row(
        name=name,
        unit=_UNIT,
        ours=costs[size.label, OURS],
        rival=costs[size.label, rival],
        rival_name=rival_name,
        goal=goal,
    )


def _shown(costs: dict[tuple[str, str], list[float]], size: Size, sides: tuple[str, ...]) -> str:
    return ", ".join(f"{side} {costs[size.label, side][-1]:.1f} µs" for side in sides)


def _cost_us(ground: Ground, side: str, size: Size) -> float:
    """CPU per frame of a new process of this side, its first two bursts not counted. Raises Lossy."""
    records_before = ground.records()
    with ground.receiver(side) as receiver:
        receiver.ask("connect 1")
        ground.zoom.ask("await 1")
        try:
            answers = [_burst(ground, receiver, size) for _ in range(_WARMING + size.bursts)]
            if side == OURS:
                check(answers[-1], len(answers) * size.frames, ground.records() - records_before)
        except Lossy as loss:
            raise Lossy(f"{side}, {size.label}: {loss}") from None
    ground.forget_streams()
    return sum(float(answer["cpu_s"]) for answer in answers[_WARMING:]) / (size.bursts * size.frames) * 1e6


def _burst(ground: Ground, receiver: Child, size: Size) -> dict[str, Any]:
    receiver.ask(f"expect {size.frames}")
    ground.zoom.ask(f"burst {size.kind} {size.payload} {size.frames}")
    answer = receiver.ask(f"take {_PATIENCE_S}")
    if "error" in answer:
        raise Lossy(answer["error"])
    return answer


def check(answer: dict[str, Any], frames: int, in_log: int) -> None:
    """All frames were acknowledged, and the log has grown by no less (control records come on top)."""
    if answer["ended"] or answer["lost"] or answer["total"] != frames:
        raise Lossy(f"of {frames} frames {answer['total']} came, {answer['lost']} were lost; ended: {answer['ended']}")
    if not frames <= answer["delivered"] <= in_log:
        raise Lossy(f"of {frames} frames {answer['delivered']} were acknowledged, the log has {in_log}")
