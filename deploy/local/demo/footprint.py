"""What the stack costs before it does anything: the time to set it up, the time to start it, its memory at rest."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.memory import proportional_bytes
from deploy.local.unit import Unit

SETUP_RECORD = Path(sys.prefix) / ".setup.json"
"""Where `scripts/setup` leaves what it measured when it had everything to do."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """`setup_s` is None where nobody measured it, `idle_bytes` where the system does not tell.

    `was_set_up`: the set-up was done before this run's, whose measurement it therefore is not.
    """

    setup_s: float | None
    was_set_up: bool
    start_s: float
    processes: int
    idle_bytes: int | None


def setup_seconds(record: Path = SETUP_RECORD) -> float | None:
    """How long the cold set-up of this environment took; None when it was never measured."""
    try:
        return float(json.loads(record.read_text())["cold_setup_s"])
    except FileNotFoundError:
        return None


def idle_bytes(units: Iterable[Unit]) -> int | None:
    """The memory of these processes and their children, shared pages counted once; None without a `/proc`."""
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    return proportional_bytes(unit.pid for unit in units if unit.pid is not None)
